"""ML-Agent's reward for one step of an engineering agent, in both published versions."""

from __future__ import annotations

from math import exp, isfinite

from pydantic import BaseModel, ConfigDict, Field

from mlxlab.core.actions import EDITS
from mlxlab.core.records import RewardValue, Status
from mlxlab.core.reward import Need, StepView
from mlxlab.core.task import TaskInfo
from mlxlab.rewards.outcome import finite, outcome, say

CORNER: frozenset[Status] = frozenset({"oom", "timeout"})
"""F_corner: the paper names the exhaustion of resources, out of memory as its example."""
FAULTS: frozenset[Status] = frozenset({"invalid_action", "error", "killed"})
"""F_error of any action: wrong format, unknown action, an error when it is carried out."""
UNGRADED: frozenset[Status] = frozenset({"invalid_submission", "no_submission"})
"""F_error of an edit too: the edited program ran and left nothing that can be scored."""


class MLAgentConfig(BaseModel):
    """Which of the two papers under one arXiv id to follow."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: int = Field(
        1,
        ge=1,
        le=2,
        description="1: the sigmoid of arXiv 2505.23723 v1; 2: the linear reward of its v2.",
    )


class MLAgentReward:
    """Equation 6 of ML-Agent (Liu et al., arXiv 2505.23723), version 1 or 2.

    With m_t the score before the action, m the score after it, and the gap m_best - m_init:

    ====================================================  ======================  ===========
    case                                                  v1, in [0, 1]           v2
    ====================================================  ======================  ===========
    invalid action, or an error                           sigma(-inf) = 0         -1
    valid and no edit, or resources exhausted             sigma(0) = 0.5          0
    an edit that succeeded                                sigma(100 (m-m_t)/gap)  (m-m_t)/gap
    ====================================================  ======================  ===========

    The gap's sign is the metric's direction. Every score is a public one. An edit is any action
    in `EDITS`. What the papers leave open is decided here so:

    - The score after an edit that does not run itself comes from the Environment's probe, and so
      does the status; an edit that could not be written is an error.
    - No m_t (a first draft, a failed parent): the task's m_init takes its place.
    - `timeout` is exhaustion of resources like `oom`: v1 names the class, memory its example.
    - `killed` is an error: memory and time have statuses of their own, so what is left is a crash
      or a limit passed on purpose, and 0.5 would make dying worth more than failing.
    - `invalid_submission` and `no_submission` after an edit are errors: there is no score, though
      the program promised one. After an action that is no edit they are its honest findings.
    - No m_best or m_init, both equal, or no score after a success: no value, and the reason why.
    """

    needs: frozenset[Need] = frozenset({"probe"})

    def __init__(self, config: MLAgentConfig) -> None:
        self.version = config.version
        self.range = (0.0, 1.0) if config.version == 1 else (float("-inf"), float("inf"))

    def judge(self, step: StepView, task: TaskInfo) -> RewardValue:
        """Judge one step by equation 6."""
        status = outcome(step).status
        if step.action is None or status in FAULTS:
            return self._failed(f"{_name(step)} ended with status {status}: an error")
        if status in CORNER:
            return self._neutral(f"{_name(step)} ended with status {status}: resources exhausted")
        if step.action.type not in EDITS:
            return self._neutral(f"{_name(step)} is valid and no edit")
        if status in UNGRADED:
            return self._failed(f"{_name(step)} ended with status {status}: nothing to score")
        return self._scored(step, task)

    def _scored(self, step: StepView, task: TaskInfo) -> RewardValue:
        after, source = outcome(step)[1:]
        m_init, m_best = finite(task.m_init), finite(task.m_best)
        if after is None:
            return RewardValue(value=None, reason=f"{_name(step)} succeeded but has no score")
        if m_init is None or m_best is None:
            why = task.m_reason or "the task states none"
            return RewardValue(value=None, reason=f"no m_init or no m_best: {why}")
        if m_best == m_init:
            return RewardValue(value=None, reason="m_best equals m_init: there is no gap to close")
        before = finite(step.decision.score)
        origin = "m_t" if before is not None else "m_init, as there is no m_t"
        before = m_init if before is None else before
        gap = m_best - m_init
        gain = (after - before) / gap
        if not isfinite(gain) or not isfinite(gap):
            return RewardValue(value=None, reason="the gap is too small or too large to divide by")
        value = sigmoid(100 * gain) if self.version == 1 else gain
        parts = {"m_t": before, "m_next": after, "gap": gap, "gain": gain}
        reason = (
            f"{say(before)} ({origin}) became {say(after)} ({source}): "
            f"{say(gain)} of the gap from m_init {say(m_init)} to m_best {say(m_best)}"
        )
        return RewardValue(value=value, reason=reason, parts=parts)

    def _failed(self, reason: str) -> RewardValue:
        return RewardValue(value=0.0 if self.version == 1 else -1.0, reason=reason)

    def _neutral(self, reason: str) -> RewardValue:
        return RewardValue(value=0.5 if self.version == 1 else 0.0, reason=reason)


def sigmoid(x: float) -> float:
    """The logistic function, without overflow."""
    if x >= 0:
        return 1 / (1 + exp(-x))
    return exp(x) / (1 + exp(x))


def _name(step: StepView) -> str:
    return step.action.type if step.action else "the answer"
