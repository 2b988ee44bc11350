"""What a step achieved, times how long it took, so that quick programs do not win by number."""

from __future__ import annotations

from math import isfinite
from typing import ClassVar

from mlxlab.core.errors import UsageError
from mlxlab.core.records import RewardValue
from mlxlab.core.registry import Registry
from mlxlab.core.reward import Need, Reward, StepView
from mlxlab.core.task import TaskInfo
from pydantic import BaseModel, ConfigDict, Field, model_validator


class DurationAwareConfig(BaseModel):
    """Options; the argument is the reward that is weighted: `duration-aware:improvement`."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    argument: ClassVar[str] = "base"

    base: str = Field(
        "ml-agent",
        description="The reward that is weighted, as it is written after --reward. Its own "
        "options are percent-encoded: ml-agent%3Fversion=2 (%3F is ?, %26 is &).",
    )
    baseline: float = Field(
        0.5,
        ge=-1e6,
        le=1e6,
        description="What the base says of a step that changes nothing: 0.5 of ml-agent, 0 of "
        "improvement and of ml-agent's version 2.",
    )
    mean_s: float = Field(
        10.0, gt=0, le=1e9, description="The usual execution, in seconds: it has the weight 1."
    )
    least: float = Field(
        0.1,
        ge=0,
        le=1,
        description="The smallest weight: what was never run took no time, and is no less wrong.",
    )
    most: float = Field(10.0, ge=1, le=1e6, description="The largest weight.")

    @model_validator(mode="after")
    def _says_something(self) -> DurationAwareConfig:
        if not self.base:
            raise ValueError("base names no reward")
        return self


class DurationAwareReward:
    """An advantage times the duration, after RL4MLE (Yang, He-Yueya, Liang, arXiv 2509.01684).

    A policy that learns from whatever ends first sees quick actions more often than slow ones, and
    drifts towards them though the slow ones are better. RL4MLE weights each action's part of the
    gradient by the time dt that its execution took, which cancels the bias:

        grad J = E[ sum_k  dt_k * grad log pi(a_k | s_k) * A(s_k, a_k) ]

    A reward sees one step and no gradient, so this one returns the factor that stands before it:

        r_k = clip(dt_k / mean_s, least, most) * (base_k - baseline)

    - `base_k - baseline` takes the place of A: how much better the step was than doing nothing.
      Both signs are weighted, so a slow failure is worse than a quick one.
    - dt_k is the execution's wall time, in seconds, and the hidden probe's where one was made. The
      policy's own time is not in it: a reward is not told of it.
    - `mean_s` sets the scale and nothing else; take the mean of your runs. The paper's weight has
      no limits. `least` and `most` are this reward's own, so that its range is known, and so that
      an answer that could not be run at all is not worth as much as one that changed nothing.

    It equals the paper's gradient for a trainer that takes the reward itself as the advantage. One
    that compares the rewards of a group, as GRPO does, subtracts the mean of weighted values and
    divides by their spread: the order of slow and quick actions is still moved, by another amount.
    """

    def __init__(self, config: DurationAwareConfig) -> None:
        made = Registry.installed().create("reward", config.base).instance
        if not isinstance(made, Reward):
            raise UsageError(f"'{config.base}' is no reward.")
        self.config = config
        self._base: Reward = made
        self.needs: frozenset[Need] = made.needs
        ends = [(end - config.baseline) * config.most for end in made.range]
        self.range = (min(0.0, ends[0]), max(0.0, ends[1]))

    def judge(self, step: StepView, task: TaskInfo) -> RewardValue:
        """Judge one step; no value where the base has none."""
        said = self._base.judge(step, task)
        if said.value is None:
            return RewardValue(value=None, reason=f"{self.config.base}: {said.reason}")
        took_s = duration(step)
        if not isfinite(took_s) or took_s < 0:
            return RewardValue(value=None, reason=f"a duration of {took_s} s is none")
        weight = min(max(took_s / self.config.mean_s, self.config.least), self.config.most)
        advantage = said.value - self.config.baseline
        value = weight * advantage
        if not isfinite(value):
            return RewardValue(value=None, reason=f"{weight:.4g} x {advantage:.4g} is too large")
        return RewardValue(
            value=value,
            reason=f"{weight:.4g} (for {took_s:.4g} s) x {advantage:+.4g}: {said.reason}",
            parts={"advantage": advantage, "weight": weight, "duration_s": took_s},
        )


def duration(step: StepView) -> float:
    """How long a step's programs ran, in seconds, the hidden probe included."""
    return step.observation.duration_s + (step.probe.duration_s if step.probe else 0.0)
