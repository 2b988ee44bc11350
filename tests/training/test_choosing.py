"""Which states a step draws: repeatable, fair, and the same after a resume."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlxlab.core.errors import UsageError
from mlxlab.core.training.examples import Corpus
from mlxlab.core.training.states import State
from mlxlab.plugins.training.choosing import Chooser, How, Seen, pool
from tests.training.bandit import corpus, state


def states(*counts: int) -> list[State]:
    """So many states of each task."""
    return [
        replace(state(f"task {task}"), id=f"{task}/{number}")
        for task, count in enumerate(counts)
        for number in range(count)
    ]


def ids(drawn: list[State]) -> list[str]:
    return [each.id for each in drawn]


@given(
    how=st.sampled_from(["uniform", "task", "variance"]),
    counts=st.lists(st.integers(1, 5), min_size=1, max_size=4),
    count=st.integers(1, 8),
    number=st.integers(0, 30),
)
def test_a_draw_depends_on_nothing_but_seed_number_and_what_was_seen(
    how: How, counts: list[int], count: int, number: int
) -> None:
    there = states(*counts)
    goes_on = Chooser(there, how, seed=3)
    for before in range(number):
        goes_on.draw(before, count)
    assert ids(goes_on.draw(number, count)) == ids(Chooser(there, how, 3).draw(number, count))
    assert len(goes_on.draw(number, count)) == count


@given(n=st.integers(1, 20), count=st.integers(1, 20), number=st.integers(0, 9))
def test_no_state_comes_twice_in_a_draw_while_there_are_enough(
    n: int, count: int, number: int
) -> None:
    for how in ("uniform", "variance"):
        drawn = Counter(ids(Chooser(states(n), how).draw(number, count)))
        assert max(drawn.values()) == -(-count // n)


def test_uniform_takes_every_state_once_in_an_epoch() -> None:
    chooser = Chooser(states(12), "uniform")
    first = [each for number in range(3) for each in ids(chooser.draw(number, 4))]
    second = [each for number in range(3, 6) for each in ids(chooser.draw(number, 4))]
    assert sorted(first) == sorted(second) == sorted(ids(states(12)))
    assert first != second


@given(n=st.integers(1, 24), count=st.integers(1, 24), seed=st.integers(0, 3))
def test_what_fills_no_draw_of_an_epoch_is_not_lost(n: int, count: int, seed: int) -> None:
    """At no time has a state been drawn more than once more often than another one."""
    chooser = Chooser(states(n), "uniform", seed)
    drawn = Counter(dict.fromkeys(ids(states(n)), 0))
    for number in range(3 * n):
        drawn.update(ids(chooser.draw(number, count)))
        assert n < count or max(drawn.values()) - min(drawn.values()) <= 1
    if n >= count:
        assert set(drawn.values()) == {3 * count}


def test_tasks_come_in_turn_however_many_states_each_has() -> None:
    chooser = Chooser(states(30, 2, 1), "task")
    drawn = [each.task for number in range(20) for each in chooser.draw(number, 3)]
    assert set(Counter(drawn).values()) == {20}


def test_states_with_variance_come_more_often_and_no_state_never() -> None:
    there = states(20)
    chooser = Chooser(there, "variance", seed=1)
    for each in there[:5]:
        chooser.saw([each] * 4, [0.0, 1.0, 0.0, 1.0])
    for each in there[5:]:
        chooser.saw([each] * 4, [0.5, 0.5, 0.5, 0.5])
    drawn = Counter(each for number in range(400) for each in ids(chooser.draw(number, 2)))
    assert min(drawn[each.id] for each in there[:5]) > 3 * max(drawn[e.id] for e in there[5:])
    assert min(drawn[each.id] for each in there) > 0


def test_what_was_seen_survives_a_checkpoint() -> None:
    there = states(8)
    chooser = Chooser(there, "variance")
    chooser.saw(there * 2, [None, *(n / 7 for n in range(15))])
    again = Chooser(there, "variance")
    again.restore(chooser.kept())
    assert [ids(again.draw(n, 3)) for n in range(9)] == [ids(chooser.draw(n, 3)) for n in range(9)]


@given(st.lists(st.floats(-10, 10), min_size=2, max_size=20))
def test_the_running_variance_is_the_unbiased_one(values: list[float]) -> None:
    seen = Seen()
    for value in values:
        seen.add(value)
    mean = sum(values) / len(values)
    wanted = sum((value - mean) ** 2 for value in values) / (len(values) - 1)
    assert seen.variance == pytest.approx(wanted, abs=1e-9)


def test_equal_decisions_are_one_state_and_their_number_is_told() -> None:
    one, other = state("one"), state("other")
    twin = replace(one, id="one/7")
    better = replace(one, id="one/8", decision=one.decision.model_copy(update={"score": 0.5}))
    found = pool(corpus([one, twin, other, better]))
    assert ids(list(found.states)) == ["one/0", "other/0", "one/8"]
    assert found.equal == 1


def test_a_corpus_without_states_says_how_to_make_some() -> None:
    with pytest.raises(UsageError, match="mlx run"):
        pool(Corpus(()))
