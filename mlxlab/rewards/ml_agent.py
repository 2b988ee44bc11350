"""ML-Agent's reward for one step of an engineering agent, in both published versions."""

from __future__ import annotations

from math import exp, isfinite, log
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from mlxlab.core.actions import EDITS
from mlxlab.core.boundary import number_problem
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

ALPHA = 100.0
"""v1's alpha times the gap m_best - m_init."""
WORST = {1: 0.0, 2: -1.0}
"""By version: sigma(-inf) and its counterpart, for errors."""
NEUTRAL = {1: 0.5, 2: 0.0}
"""By version: sigma(0) and its counterpart, for what changes nothing."""


class MLAgentConfig(BaseModel):
    """The paper's version, its ablations, and a remedy; the defaults are the paper as it stands."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: int = Field(
        1,
        ge=1,
        le=2,
        description="1: the sigmoid of arXiv 2505.23723 v1; 2: the linear reward of its v2.",
    )
    signal: Literal["score", "binary"] = Field(
        "score",
        description="score: an edit is judged by how much better it is; binary: by its direction "
        "alone (the paper's ablation of the performance reward).",
    )
    format: bool = Field(
        True,
        description="false: errors and invalid actions are neutral, no longer the worst (the "
        "paper's ablation of the format reward).",
    )
    corner: bool = Field(
        True,
        description="false: exhausted resources are errors, no longer neutral (the paper's "
        "ablation of the corner-case reward).",
    )
    idle: float | None = Field(
        None,
        allow_inf_nan=False,
        description="What it is worth to change nothing: valid non-edits, exhausted resources, and "
        "an edit that leaves the score as it was. A remedy, not the paper's: below its 0.5 (v1) "
        "or 0 (v2), doing nothing no longer beats trying.",
    )

    @model_validator(mode="after")
    def _idle_in_range(self) -> MLAgentConfig:
        low, high = WORST[self.version], 1.0
        if self.idle is not None and not low < self.idle < high:
            raise ValueError(
                f"idle of version {self.version} must lie between {low:g} and {high:g}"
            )
        return self


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

    The ablations are named in the papers and not defined:

    - `signal=binary`: better is worth 1, worse the worst value (v1 0, v2 -1), and equal what
      changing nothing is worth: these are the limits of equation 6 for an infinite alpha.
    - `format=false`: what was an error is worth what changing nothing is worth. Without the
      penalty nothing tells such a step from one without effect; no value at all would drop it
      from training, which is another experiment.
    - `corner=false`: exhausted resources are errors. Non-edits stay neutral: they are valid and
      have no score to be judged by, so that only the special case of resources can be taken away.

    `idle` is a remedy against the pull of the neutral value. From a good state most honest
    proposals make the score worse and are worth less than 0.5 on average, so a policy learns to
    do nothing. Three things do nothing: an action that is no edit, a program that runs out of
    time or memory, and a repetition of the best solution, whose gain is exactly 0. All three pull,
    and so `idle` lowers all three at once: it is the value of the first two, and an edit is worth
    sigma(100 gain + ln(idle / (1 - idle))) in v1, gain + idle in v2. The order of edits stays, and
    an edit must gain a little (1.1% of the gap for idle=0.25) to be worth what standing still was.
    """

    needs: frozenset[Need] = frozenset({"probe"})

    def __init__(self, config: MLAgentConfig) -> None:
        self.config = config
        self.version = config.version
        self.idle = NEUTRAL[config.version] if config.idle is None else config.idle
        unbounded = config.version == 2 and config.signal == "score"
        endless = (float("-inf"), float("inf"))
        self.range = endless if unbounded else (WORST[config.version], 1.0)

    def judge(self, step: StepView, task: TaskInfo) -> RewardValue:
        """Judge one step by equation 6."""
        status = outcome(step).status
        if step.action is None or status in FAULTS:
            return self._failed(f"{_name(step)} ended with status {status}: an error")
        if status in CORNER:
            reason = f"{_name(step)} ended with status {status}: resources exhausted"
            return self._neutral(reason) if self.config.corner else self._failed(reason)
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
        if number_problem(gain) or not isfinite(gap):
            return RewardValue(value=None, reason="the gap is too small or too large to divide by")
        parts = {"m_t": before, "m_next": after, "gap": gap, "gain": gain}
        reason = (
            f"{say(before)} ({origin}) became {say(after)} ({source}): "
            f"{say(gain)} of the gap from m_init {say(m_init)} to m_best {say(m_best)}"
        )
        return RewardValue(value=self._worth(gain), reason=reason, parts=parts)

    def _worth(self, gain: float) -> float:
        """The value of an edit that closed this share of the gap."""
        if self.config.signal == "binary":
            return self.idle if gain == 0 else 1.0 if gain > 0 else WORST[self.version]
        if self.version == 1:
            return sigmoid(ALPHA * gain + log(self.idle / (1 - self.idle)))
        return gain + self.idle

    def _failed(self, reason: str) -> RewardValue:
        if not self.config.format:
            return self._neutral(reason)
        return RewardValue(value=WORST[self.version], reason=reason)

    def _neutral(self, reason: str) -> RewardValue:
        return RewardValue(value=self.idle, reason=reason)


def sigmoid(x: float) -> float:
    """The logistic function, without overflow."""
    if x >= 0:
        return 1 / (1 + exp(-x))
    return exp(x) / (1 + exp(x))


def _name(step: StepView) -> str:
    return step.action.type if step.action else "the answer"
