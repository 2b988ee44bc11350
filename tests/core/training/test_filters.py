"""What a trainer learns from, of runs as they lie on disk."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlxlab.core.actions import ListFiles, RunCode
from mlxlab.core.errors import UsageError
from mlxlab.core.task import MetricInfo
from mlxlab.core.training.examples import Corpus, Example, gather
from mlxlab.core.training.filters import chosen
from tests.recorded import record_run, task


def corpus(root: Path, *runs: tuple[str, list[float | str | None]]) -> Corpus:
    """Runs of a task each, every step with a program of its own."""
    folders = [record_run(root, name, scores, of=task(name)) for name, scores in runs]
    examples = [
        replace(example, action=example.action and RunCode(code=f"program {number}"))
        for number, example in enumerate(gather(folders).examples)
    ]
    return Corpus(tuple(examples))


def ids(examples: Iterable[Example]) -> list[str]:
    return [example.state.id for example in examples]


def test_what_failed_is_left_out_unless_it_is_wanted(tmp_path: Path) -> None:
    found = corpus(tmp_path, ("one", [0.5, "error", 0.6]))
    assert ids(chosen(found)) == ["one/0", "one/2"]
    assert ids(chosen(found, valid=False)) == ["one/0", "one/1", "one/2"]


def test_an_answer_without_an_action_is_not_valid(tmp_path: Path) -> None:
    found = corpus(tmp_path, ("one", [0.5, 0.6]))
    first, second = found.examples
    found = Corpus((replace(first, action=None), second))
    assert ids(chosen(found)) == ["one/1"]
    assert ids(chosen(found, valid=False)) == ["one/0", "one/1"]


def test_improving_is_better_than_the_state(tmp_path: Path) -> None:
    found = corpus(tmp_path, ("one", [0.5, 0.6, 0.7]))
    first, second, third = found.examples
    found = Corpus((first, replace(second, improved=False), third))
    assert ids(chosen(found, improving=True)) == ["one/0", "one/2"]


def test_the_best_are_counted_by_task_and_a_task_keeps_one_at_least(tmp_path: Path) -> None:
    found = corpus(tmp_path, ("one", [0.1, 0.9, 0.5, 0.7, "error"]), ("two", [0.2, 0.3]))
    assert ids(chosen(found, best=0.5)) == ["one/1", "one/3", "two/1"]
    assert ids(chosen(found, best=0.01)) == ["one/1", "two/1"]
    assert ids(chosen(found, best=1.0, valid=False)) == ids(chosen(found))


def test_the_best_error_is_the_smallest(tmp_path: Path) -> None:
    lower = task("errors", metric=MetricInfo(name="rmse", direction="minimize"))
    folder = record_run(tmp_path, "errors", [0.9, 0.2, 0.5], of=lower)
    assert ids(chosen(gather([folder]), best=0.3, unique=False)) == ["errors/1"]


@pytest.mark.parametrize("share", [0, -1, 1.5, float("nan")])
def test_a_share_is_above_nothing_and_up_to_all(tmp_path: Path, share: float) -> None:
    with pytest.raises(UsageError, match="is no share"):
        chosen(corpus(tmp_path, ("one", [0.5])), best=share)


def test_equal_actions_from_equal_starts_are_one_and_it_is_the_improving_one(
    tmp_path: Path,
) -> None:
    found = corpus(tmp_path, ("one", [0.5, 0.6, 0.7, 0.8]))
    a, b, c, d = found.examples
    same = [
        replace(a, action=RunCode(code="same", plan="first"), improved=False),
        replace(b, action=RunCode(code="same", plan="second"), improved=True),
        replace(c, action=RunCode(code="same"), improved=True),
        d,
    ]
    assert ids(chosen(Corpus(tuple(same)))) == ["one/1", "one/3"]
    assert len(chosen(Corpus(tuple(same)), unique=False)) == 4


def test_the_same_words_are_another_action_elsewhere(tmp_path: Path) -> None:
    found = corpus(tmp_path, ("one", [0.5, 0.6]), ("two", [0.5]))
    a, b, c = (replace(example, action=ListFiles()) for example in found.examples)
    moved = replace(b.state, decision=b.state.decision.model_copy(update={"start": "s1"}))
    kept = chosen(Corpus((a, replace(b, state=moved), c)))
    assert ids(kept) == ["one/0", "one/1", "two/0"]


@given(
    scores=st.lists(st.one_of(st.none(), st.floats(0, 1)), max_size=12),
    share=st.floats(0.01, 1),
)
def test_no_example_left_out_is_better_than_one_that_is_kept(
    tmp_path_factory: pytest.TempPathFactory, scores: list[float | None], share: float
) -> None:
    (like,) = corpus(tmp_path_factory.mktemp("runs"), ("one", [0.5])).examples
    found = Corpus(tuple(replace(like, score=score) for score in scores))
    kept = [e.score for e in chosen(found, best=share, unique=False)]
    left = sorted([s for s in scores if s is not None], reverse=True)
    assert sorted(kept, reverse=True) == left[: len(kept)]
    assert len(kept) <= len(left)
    assert (len(kept) > 0) == (len(left) > 0)
