"""The promises of every reward, and this one's own."""

from __future__ import annotations

from math import inf, nan

import pytest
from mlxlab.core.actions import Action, EditFile, RunCode
from mlxlab.core.errors import UnknownComponent
from mlxlab.core.records import ComponentRef, Decision, Observation, Probe, Status
from mlxlab.core.reward import StepView
from mlxlab.testing import RewardConformance, ToyTask

from mlx_duration_aware.reward import DurationAwareConfig, DurationAwareReward

RUN = RunCode(code="x = 1")


class TestDurationAware(RewardConformance):
    """Every check of mlxlab's kit, on this reward."""

    @classmethod
    def make(cls) -> DurationAwareReward:
        return DurationAwareReward(DurationAwareConfig())


class TestOfAnOpenRange(RewardConformance):
    """The same checks, where the weighted reward has no bounds."""

    @classmethod
    def make(cls) -> DurationAwareReward:
        return DurationAwareReward(DurationAwareConfig(base="improvement", baseline=0.0))


def step(
    took_s: float,
    before: float | None = 3.0,
    after: float | None = 1.5,
    status: Status = "ok",
    action: Action | None = RUN,
    probe: Probe | None = None,
) -> StepView:
    """A step on the toy task, where less is better and the gap is 3, that took so many seconds."""
    decision = Decision(
        step=1,
        operator="improve",
        score=before,
        scaffold=ComponentRef(kind="scaffold", name="test", spec="test"),
        task="toy",
        data_hash="0",
        sandbox="test",
        feedback="public",
        seed=0,
    )
    seen = Observation(status=status, public_score=after, duration_s=took_s)
    return StepView(decision=decision, action=action, observation=seen, probe=probe)


def judged(seen: StepView, **options: object) -> float | None:
    """What the reward with these options says; by default of what `improvement` says."""
    config = DurationAwareConfig.model_validate(
        {"base": "improvement", "baseline": 0.0, "mean_s": 10.0, **options}
    )
    return DurationAwareReward(config).judge(seen, ToyTask().info).value


@pytest.mark.parametrize(
    ("took_s", "value"),
    [(10.0, 0.5), (20.0, 1.0), (5.0, 0.25), (0.0, 0.05), (1e6, 5.0)],
)
def test_the_gain_counts_for_its_time(took_s: float, value: float) -> None:
    assert judged(step(took_s)) == pytest.approx(value)


def test_a_slow_loss_is_worse_than_a_quick_one() -> None:
    quick, slow = (judged(step(took_s, before=1.5, after=3.0)) for took_s in (2.0, 60.0))
    assert quick == pytest.approx(-0.1) and slow == pytest.approx(-3.0)


def test_rates_cancel() -> None:
    """Twelve quick steps and one slow one, in the same time, with equal gains weigh the same."""
    quick, slow = judged(step(5.0)), judged(step(60.0))
    assert quick is not None and 12 * quick == pytest.approx(slow)


def test_what_never_ran_is_still_wrong() -> None:
    lost = step(0.0, after=None, status="invalid_action", action=None)
    assert judged(lost, base="ml-agent", baseline=0.5) == pytest.approx(-0.05)
    assert judged(lost, base="ml-agent", baseline=0.5, least=0.0) == pytest.approx(0.0)


def test_a_probe_takes_time_too() -> None:
    edit = EditFile(path="solution.py", content="x = 1")
    probe = Probe(status="ok", score=1.5, duration_s=19.0)
    assert judged(step(1.0, after=None, action=edit, probe=probe)) == pytest.approx(1.0)


@pytest.mark.parametrize("took_s", [nan, inf, -1.0])
def test_no_value_for_no_duration(took_s: float) -> None:
    assert judged(step(took_s)) is None


def test_the_base_says_why_there_is_no_value() -> None:
    reward = DurationAwareReward(DurationAwareConfig(base="improvement", baseline=0.0))
    said = reward.judge(step(1.0, before=None), ToyTask().info)
    assert said.value is None and said.reason.startswith("improvement: there is no parent's score")


def test_the_range_is_the_bases_weighted() -> None:
    assert DurationAwareReward(DurationAwareConfig(most=4.0)).range == (-2.0, 2.0)
    assert DurationAwareReward(DurationAwareConfig(base="valid", baseline=1.0)).range == (-10.0, 0)
    open_range = DurationAwareReward(DurationAwareConfig(base="improvement")).range
    assert open_range == (-inf, inf)


def test_a_base_has_options_and_has_to_be_known() -> None:
    assert DurationAwareReward(DurationAwareConfig(base="ml-agent?version=2")).needs == {"probe"}
    with pytest.raises(UnknownComponent, match="improvment"):
        DurationAwareReward(DurationAwareConfig(base="improvment"))
