"""How much better than its parent a step's public score is."""

from __future__ import annotations

from math import isfinite

from mlxlab.core.boundary import number_problem
from mlxlab.core.records import RewardValue
from mlxlab.core.reward import Need, StepView
from mlxlab.core.task import TaskInfo
from mlxlab.rewards.outcome import finite, outcome, say


class Improvement:
    """Signed improvement over the parent, positive when better, without a unit.

    In shares of the task's gap |m_best - m_init| where it has one, else of |m_t|. No value where
    there is nothing to compare: a draft, a failed step, a parent without a score.
    """

    needs: frozenset[Need] = frozenset()
    range = (float("-inf"), float("inf"))

    def judge(self, step: StepView, task: TaskInfo) -> RewardValue:
        """Judge one step against its parent."""
        before, after = finite(step.decision.score), outcome(step).score
        if after is None:
            return RewardValue(value=None, reason="the step has no score")
        if before is None:
            return RewardValue(value=None, reason="there is no parent's score to compare with")
        unit, name = _unit(task, before)
        sign = 1.0 if task.metric.direction == "maximize" else -1.0
        value = sign * (after - before) / unit if unit else float("nan")
        if number_problem(value) or not isfinite(unit):
            return RewardValue(value=None, reason=f"{name} is too small or large to divide by")
        reason = f"{say(before)} became {say(after)}, in units of {name} = {say(unit)}"
        return RewardValue(value=value, reason=reason, parts={"m_t": before, "m_next": after})


def _unit(task: TaskInfo, before: float) -> tuple[float, str]:
    m_init, m_best = finite(task.m_init), finite(task.m_best)
    if m_init is not None and m_best is not None and m_init != m_best:
        return abs(m_best - m_init), "|m_best - m_init|"
    return abs(before), "|m_t|"
