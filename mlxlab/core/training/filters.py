"""Which recorded steps a trainer learns from."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

from mlxlab.core.errors import UsageError
from mlxlab.core.training.examples import Corpus, Example


def chosen(
    corpus: Corpus,
    *,
    valid: bool = True,
    improving: bool = False,
    best: float | None = None,
    unique: bool = True,
) -> tuple[Example, ...]:
    """The examples that pass every filter that is asked for, in their recorded order.

    Args:
        corpus: what was recorded.
        valid: only actions that were parsed and carried out without an error; looking at a file
            counts as well as an edit.
        improving: only actions whose score is better than their state's, or the first one.
        best: of each task this share by score, at least one; what has no score drops out.
        unique: of equal actions from equal starts on one task one is kept: the first that improved
            on its state, or else the first. A plan or a thought is no part of an action here. The
            start counts, since "run the script" means another action after each edit.

    Raises:
        UsageError: `best` is no share.
    """
    if best is not None and not 0 < best <= 1:
        raise UsageError(f"best={best!r} is no share.", "Give a number above 0, up to 1.")
    found: Sequence[Example] = corpus.examples
    if valid:
        found = [e for e in found if e.status == "ok" and e.action is not None]
    if improving:
        found = [e for e in found if e.improved]
    if unique:
        found = _distinct(found)
    return tuple(found if best is None else _best(found, best))


def _distinct(examples: Sequence[Example]) -> list[Example]:
    """One for each action; those without an action are all different."""
    kept: dict[tuple[str, ...], int] = {}
    for number, example in enumerate(examples):
        first = kept.setdefault(_key(example), number)
        if example.improved and not examples[first].improved:
            kept[_key(example)] = number
    return [examples[number] for number in sorted(kept.values())]


def _key(example: Example) -> tuple[str, ...]:
    state = example.state
    if example.action is None:
        return (state.id,)
    action = example.action.model_dump_json(exclude={"plan"})
    return (state.task, state.info.data_hash, state.decision.start, action)


def _best(examples: Sequence[Example], share: float) -> list[Example]:
    by_task: dict[str, list[tuple[float, int]]] = {}
    for number, example in enumerate(examples):
        if example.score is not None:
            sign = -1 if example.state.info.metric.direction == "maximize" else 1
            by_task.setdefault(example.state.task, []).append((sign * example.score, number))
    numbers = [
        number
        for scored in by_task.values()
        for _, number in sorted(scored)[: ceil(share * len(scored))]
    ]
    return [examples[number] for number in sorted(numbers)]
