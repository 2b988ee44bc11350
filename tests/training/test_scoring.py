"""From what came of actions to rewards and figures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mlxlab.core.errors import MlxError, UsageError
from mlxlab.core.records import Completion, Observation, Probe, RewardValue
from mlxlab.core.training.states import State, Taken
from mlxlab.plugins.training.scoring import Scored, Scoring
from tests.training.bandit import REWARD, Bandit, job, pulled, state


def judge(taken: list[Taken], where: list[State], told: list[str], group: int = 2) -> Scored:
    scoring = Scoring(job(Path(), where, Bandit(), warn=told.append))
    return scoring.judged(where, [Completion(text="")] * len(taken), taken, group)


def test_what_has_no_value_is_none_counted_and_told_once_for_each_reason() -> None:
    told: list[str] = []
    broken = Taken(action=None, observation=None, failed="the engine died")
    nan = pulled(float("nan"), "b")
    missing = replace(pulled(1.0, "c"), rewards={})
    where = [state("one", score=0.5)] * 4 + [state("two", score=0.5)] * 2
    scored = judge([pulled(1.0, "a"), broken, broken, nan, missing, broken], where, told)
    assert scored.rewards == (1.0, None, None, None, None, None)
    assert scored.figures["unvalued"] == 5
    assert scored.figures["failed"] == 3
    assert scored.figures["reward"] == 1.0
    assert scored.figures["empty_groups"] == 2
    assert scored.figures["groups"] == 3
    assert len(told) == 3
    assert "3 actions of a step have no reward" in next(line for line in told if "engine" in line)


def test_reasons_that_differ_in_a_number_are_told_once_and_huge_rewards_are_none() -> None:
    told: list[str] = []
    outside = [
        replace(
            pulled(0.0, "a"),
            rewards={
                REWARD: RewardValue(value=None, reason=f"it returned {value}, outside [0, 1]")
            },
        )
        for value in ("7.31", "-2e+20", "nan")
    ]
    scored = judge([*outside, pulled(1e308, "b"), pulled(1.0, "c")], [state("one")] * 5, told, 5)
    assert scored.rewards == (None, None, None, None, 1.0)
    assert told == [
        "An action has no reward to learn from: it returned 7.31, outside [0, 1]",
        "An action has no reward to learn from: the reward is 1e+308, too large to learn from",
    ]


def test_m_best_that_is_missing_gives_the_reason_of_the_reward() -> None:
    told: list[str] = []
    silent = replace(
        pulled(0.0, "a"), rewards={REWARD: RewardValue(value=None, reason="no m_best is known")}
    )
    scored = judge([silent, pulled(0.25, "b")], [state("one")] * 2, told)
    assert scored.rewards == (None, 0.25)
    assert "no m_best is known" in told[0]


def test_figures_of_a_mixed_batch() -> None:
    where = [state("one", score=0.5)] * 6
    failing = replace(pulled(None, "b"), observation=Observation(status="error"))
    probed = replace(pulled(None, "c"), probe=Probe(status="ok", score=0.4))
    unread = replace(pulled(0.0, "d"), action=None)
    cached = replace(pulled(0.75, "a"), cached=True)
    fresh = replace(pulled(0.75, "a"), seconds=2.0)
    taken = [fresh, cached, failing, probed, unread, pulled(0.75, "e")]
    rewards = [1.0, 1.0, 0.0, 0.5, 0.0, 1.0]
    paid = [
        replace(each, rewards={REWARD: RewardValue(value=value, reason="")})
        for each, value in zip(taken, rewards, strict=True)
    ]
    figures = judge(paid, where, []).figures
    assert figures["reward"] == pytest.approx(3.5 / 6)
    assert figures["improvement"] == pytest.approx(3 / 6)  # 0.4 by the probe is no better than 0.5
    assert figures["valid"] == pytest.approx(4 / 6)
    assert figures["unique"] == 4  # programs a, b, c and e
    assert (figures["executed"], figures["cached"]) == (5, 1)
    assert figures["execution_s"] == pytest.approx(2.0 + 4 * 0.001)
    assert figures["flat_groups"] == 1


def test_actions_that_stand_alone_are_no_groups() -> None:
    taken = [pulled(0.5, "a"), pulled(1.0, "b")]
    assert "groups" not in judge(taken, [state("one")] * 2, [], 1).figures


def test_a_plan_is_no_part_of_an_action() -> None:
    from mlxlab.core.actions import RunCode

    said = [
        replace(pulled(0.5, "a"), action=RunCode(code="a", plan=plan)) for plan in ("one", "two")
    ]
    assert judge(said, [state("one")] * 2, []).figures["unique"] == 1


def test_a_lower_score_improves_where_lower_is_better() -> None:
    info = state("one").info
    lower = info.model_copy(
        update={"metric": info.metric.model_copy(update={"direction": "minimize"})}
    )
    where = replace(state("one", score=0.5), info=lower)
    assert (
        judge([pulled(0.4, "a"), pulled(0.6, "b")], [where] * 2, []).figures["improvement"] == 0.5
    )


def test_steps_without_a_single_reward_end_the_training_with_the_reason() -> None:
    where = [state("one")] * 2
    scoring = Scoring(job(Path(), where, Bandit()), patience=2)
    broken = [Taken(action=None, observation=None, failed="Docker is gone.")] * 2
    answers = [Completion(text="")] * 2
    scoring.judged(where, answers, broken)
    scoring.judged(where, answers, [broken[0], pulled(0.5, "a")])  # one of them is enough
    scoring.judged(where, answers, broken)
    with pytest.raises(MlxError, match=r"2 optimizer steps in a row .* Docker is gone"):
        scoring.judged(where, answers, broken)


def test_all_actions_are_submitted_before_any_is_waited_for() -> None:
    bandit = Bandit()
    where = [state("a"), state("b")]
    scored = Scoring(job(Path(), where, bandit)).score(
        where, [Completion(text="a"), Completion(text="a")], group=1
    )
    assert [text for _, text in bandit.submitted] == ["a", "a"]
    assert scored.rewards == (1.0, 0.3)
    assert scored.figures["execute_s"] > 0
    sample = scored.samples(7)[1]
    assert (sample.step, sample.state, sample.reward) == (7, "b/0", 0.3)


def test_a_job_without_an_arena_is_refused() -> None:
    with pytest.raises(UsageError, match="arena"):
        Scoring(replace(job(Path(), [], Bandit()), arena=None))
