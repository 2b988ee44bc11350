"""What is learned from: recorded runs, less what may not be used."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from mlxlab.api.training.options import TrainOptions, run_folders
from mlxlab.api.training.record import CorpusCount, RunUsed
from mlxlab.core.errors import UsageError
from mlxlab.core.runs import RunFolder
from mlxlab.core.spec import Spec
from mlxlab.core.training.examples import Corpus, Example, gather

_PRIVATE = "their agent was shown private scores, which no trainer may see"
_STRANGER = "somebody else recorded them; --trust carries out actions on their tasks"


def material(options: TrainOptions, acting: bool) -> Corpus:
    """The examples that a training may use, and a line for all that it may not.

    Args:
        options: what the user asks for.
        acting: whether actions will be carried out, which a stranger's task may not have.

    Raises:
        UsageError: nothing is left.
    """
    corpus = gather(run_folders(options.runs))
    kept: list[Example] = []
    left_out: Counter[tuple[str, str]] = Counter()
    for example in corpus.examples:
        if why := _reason(example, options, acting):
            left_out[(_run(example), why)] += 1
        else:
            kept.append(_trusted(example) if options.trust else example)
    told = [
        f"{run}: {n} {'step' if n == 1 else 'steps'} left out: {why}."
        for (run, why), n in left_out.items()
    ]
    found = Corpus(
        _of_tasks(kept, options.tasks),
        runs=corpus.runs,
        skipped=(*corpus.skipped, *told),
    )
    if not found.examples:
        raise _nothing(found)
    used = {example.state.folder for example in found.examples}
    return replace(found, runs=tuple(run for run in found.runs if run in used))


def counted(corpus: Corpus) -> CorpusCount:
    """What train.json says of it."""
    tasks = Counter(example.state.task for example in corpus.examples)
    scaffolds = Counter(example.state.decision.scaffold.spec for example in corpus.examples)
    return CorpusCount(
        examples=len(corpus.examples),
        tasks=dict(tasks.most_common()),
        scaffolds=dict(scaffolds.most_common()),
        skipped=corpus.skipped,
    )


def used(corpus: Corpus) -> tuple[RunUsed, ...]:
    """The runs of a corpus, each with what tells whether it has changed."""
    return tuple(_used(path) for path in corpus.runs)


def _used(path: Path) -> RunUsed:
    lines = (path / "steps.jsonl").read_bytes()
    return RunUsed(
        run_id=RunFolder(path).manifest().run_id,
        path=str(path.resolve()),
        hash=hashlib.sha256(lines).hexdigest(),
        steps=lines.count(b"\n"),
    )


def _reason(example: Example, options: TrainOptions, acting: bool) -> str:
    """Why an example may not be used; empty where it may."""
    if example.state.decision.feedback == "private":
        return _PRIVATE
    if acting and not (example.state.own or options.trust):
        return _STRANGER
    return ""


def _trusted(example: Example) -> Example:
    return replace(example, state=replace(example.state, own=True))


def _run(example: Example) -> str:
    folder = example.state.folder
    return folder.name if folder is not None else example.state.id.partition("/")[0]


def _of_tasks(examples: Sequence[Example], tasks: Sequence[str] | None) -> tuple[Example, ...]:
    if tasks is None:
        return tuple(examples)
    wanted = {str(Spec.parse(task)) for task in tasks}
    there = {example.state.task for example in examples}
    if lost := sorted(wanted - there - {example.state.info.id for example in examples}):
        raise UsageError(
            f"No recorded step is of the task {lost[0]}.",
            f"There are steps of: {', '.join(sorted(there)) or 'no task'}.",
        )
    return tuple(e for e in examples if e.state.task in wanted or e.state.info.id in wanted)


def _nothing(corpus: Corpus) -> UsageError:
    why = " ".join(dict.fromkeys(corpus.skipped)) or "The runs hold no steps."
    return UsageError(
        f"There is nothing to learn from. {why}", "'mlx runs list' shows the runs there are."
    )
