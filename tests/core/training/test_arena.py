"""Single actions from recorded states: carried out once, judged for each state."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlxlab.core.actions import RunCode
from mlxlab.core.errors import UsageError
from mlxlab.core.records import Completion, Limits
from mlxlab.core.training.cache import TransitionCache
from mlxlab.core.watch import LIMIT, watching

from . import worlds
from .worlds import Log, arena, off, said, seen, state


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    Log.clear()
    yield
    assert not Log.open_now
    assert not [t for t in threading.enumerate() if t.name.startswith("mlxlab-arena")]


def test_equal_actions_run_once_and_are_judged_for_each_states_score() -> None:
    with arena(cache=TransitionCache()) as it:
        states = [state(n, score=float(n)) for n in range(6)]
        taken = it.take(states, [off(1.0)] * 6)
        again = it.take([state(9, score=4.0)], [off(1.0)])
    assert len(Log.runs) == 1
    assert [t.rewards["gain"].value for t in taken] == [-1.0, 0.0, 1.0, 2.0, 3.0, 4.0]
    assert [t.cached for t in taken] == [False] + [True] * 5
    assert (again[0].cached, again[0].rewards["gain"].value) == (True, 3.0)
    assert taken[0].seconds > 0 and not any(t.seconds for t in taken[1:])
    assert {t.key for t in (*taken, *again)} == {taken[0].key}


def test_order_is_kept_and_different_actions_run_side_by_side() -> None:
    with arena(cache=TransitionCache(), workers=3) as it:
        taken = it.take([state(n) for n in range(20)], [off(n / 2) for n in range(20)])
        figures = it.totals()
    assert [t.score for t in taken] == [n / 2 for n in range(20)]
    assert (len(Log.runs), Log.most_at_once) == (20, 3)
    assert (figures.executed, figures.cached, figures.failed) == (20, 0, 0)
    assert figures.seconds == pytest.approx(sum(t.seconds for t in taken))


def test_without_a_cache_everything_is_executed() -> None:
    with arena() as it:
        taken = it.take([state()] * 3, [off(1.0)] * 3)
        assert it.private_score(taken[0]) == 1.0
    assert (len(Log.runs), [t.cached for t in taken]) == (3, [False] * 3)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (state(), state(limits=Limits(memory_bytes=1 << 29))),
        (state(), state(start="0" * 64)),
    ],
)
def test_what_matters_makes_another_execution(one, other) -> None:
    with arena(cache=TransitionCache()) as it:
        taken = it.take([one, other], [off(1.0)] * 2)
    assert taken[0].key != taken[1].key or taken[1].failed


def test_plans_seeds_and_a_runs_remaining_time_make_no_other_execution() -> None:
    first, second = (RunCode(code="[0]", plan=plan) for plan in ("a", "b"))
    states = [state(1, limits=Limits(wall_s=3)), state(2, limits=Limits(wall_s=9))]
    with arena(cache=TransitionCache()) as it:
        taken = it.take(states, [Completion(action=a) for a in (first, second)])
    assert len(Log.runs) == 1
    assert [t.action for t in taken] == [first, second]


def test_actions_that_are_none_or_not_allowed_reach_no_sandbox() -> None:
    only = state(1, allowed=("read_file",))
    with arena(cache=TransitionCache()) as it:
        said_nothing, not_allowed, unknown = it.take(
            [state(), only, state()],
            [Completion(text="hm"), off(1.0), said(type="custom", name="fly")],
        )
        totals = it.totals()
    assert Log.opened == 0
    assert said_nothing.action is None and said_nothing.problem.startswith("no action")
    assert seen(said_nothing.observation).message == said_nothing.problem
    assert not_allowed.action is not None and "not allowed" in not_allowed.problem
    assert "no action 'fly'" in unknown.problem
    for taken in (said_nothing, not_allowed, unknown):
        assert seen(taken.observation).status == "invalid_action"
        assert taken.rewards["gain"].value == 0.0
    assert (totals.invalid, totals.executed) == (3, 0)


def test_a_scaffold_that_fails_or_returns_no_action_makes_an_invalid_one() -> None:
    odd = state(scaffold="odd")
    with arena() as it:
        raised, other = it.take([odd] * 2, [Completion(text="raise"), Completion(text="x")])
    assert raised.problem == "scaffold 'odd' of tests 0: parse failed: KeyError: 'odd'."
    assert other.problem == "scaffold 'odd' of tests 0 read no action out of it."


def test_a_scaffold_that_hangs_makes_an_invalid_action(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(LIMIT, "1")
    with watching(), arena() as it:
        (hung,) = it.take([state(scaffold="odd")], [Completion(text="hang")])
    assert hung.problem == "scaffold 'odd' of tests 0: parse took longer than 1 s."


def test_a_reward_that_is_no_number_is_none_with_the_reason() -> None:
    with arena() as it:
        value = it.take([state()], [off(3.0)])[0].rewards["gain"]
    assert value.value is None and "nan" in value.reason


def test_a_strangers_task_is_not_carried_out_unless_it_is_trusted() -> None:
    stranger = state(own=False)
    with arena() as it, arena(trust=True) as trusting:
        refused = it.take([stranger], [off(1.0)])[0]
        assert "somebody else recorded" in refused.failed and refused.observation is None
        with pytest.raises(UsageError, match="somebody else"):
            it.packages(stranger)
        assert trusting.take([stranger], [off(1.0)])[0].score == 1.0


def test_sandboxes_are_kept_by_task_up_to_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlxlab.core.training.arena.MOST_OPEN", 1)
    tasks = ["toy", "other"] * 5
    with arena(workers=1) as it:
        it.take([state(task=task) for task in tasks], [off(n) for n in range(10)])
    assert (Log.most_open, Log.opened) == (1, 2)


def test_packages_are_asked_for_once_of_tasks_that_hide_the_same() -> None:
    with arena() as it:
        found = [it.packages(state(task=task)) for task in ("toy", "other", "toy")]
    assert (Log.opened, {each.python for each in found}) == (1, {"3"})


def test_private_scores_are_found_by_key_and_nowhere_else(tmp_path: Path) -> None:
    uneven = Completion(action=RunCode(code=str([row + 2.5 - row % 2 for row in range(8)])))
    with arena(cache=TransitionCache(tmp_path)) as it:
        taken = it.take([state()], [uneven])[0]
    with arena(cache=TransitionCache(tmp_path)) as it:
        assert (taken.score, it.private_score(taken)) == (1.5, 2.5)
    kept = (tmp_path / "transitions.jsonl").read_text()
    assert '"public_score":1.5' in kept
    assert "2.5" not in kept.replace(taken.key, "") and "2.5" not in repr(taken.observation)
    assert (tmp_path / "private.jsonl").stat().st_mode & 0o777 == 0o600


def test_next_states_are_kept_where_episodes_ask_for_them(tmp_path: Path) -> None:
    write = said(type="edit_file", path="a.txt", content="one")
    read = said(type="read_file", path="a.txt")
    cache = TransitionCache(tmp_path / "cache")
    with arena(cache=cache, keep_states=True, folder=tmp_path / "kept") as it:
        wrote = it.take([state()], [write])[0]
        following = state(1, start=wrote.next_state, store=it.store(state()))
        found, nothing = it.take([following] * 2, [read, Completion(text="hm")])
    assert seen(found.observation).stdout == "one"
    assert nothing.next_state == found.next_state == wrote.next_state
    with arena(cache=cache, keep_states=True, folder=tmp_path / "elsewhere") as it:
        assert not it.take([state()], [write])[0].cached  # its workspace is not here
    with arena(cache=cache, keep_states=True, folder=tmp_path / "elsewhere") as it:
        assert it.take([state()], [write])[0].cached


def test_tasks_are_told_once_prepared() -> None:
    with arena() as it:
        assert it.info("toy").id == "toy"
        with pytest.raises(UsageError, match="no task 'nowhere'"):
            it.info("nowhere")


def test_an_unknown_sandbox_is_told_at_once() -> None:
    with pytest.raises(UsageError, match="no sandbox 'locl'"):
        worlds.arena("locl")
