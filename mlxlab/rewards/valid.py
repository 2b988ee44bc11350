"""Whether a step left a valid submission."""

from __future__ import annotations

from mlxlab.core.records import RewardValue
from mlxlab.core.reward import Need, StepView
from mlxlab.core.task import TaskInfo
from mlxlab.rewards.outcome import outcome

CHECKED = frozenset({"run_code", "run_script", "validate"})
"""Actions after which status `ok` says that the grader accepted the submission."""


class Valid:
    """1 for a valid submission, 0 for everything else.

    Status `ok` alone is not enough: listing files is `ok` too. Either the action is one that
    ends with a check of the submission, or a probe was made, or there is a public score.
    """

    needs: frozenset[Need] = frozenset()
    range = (0.0, 1.0)

    def judge(self, step: StepView, task: TaskInfo) -> RewardValue:
        """Judge one step by its submission."""
        status, score, source = outcome(step)
        action = step.action.type if step.action else None
        checked = action in CHECKED or source == "probe" or score is not None
        if action is not None and status == "ok" and checked:
            return RewardValue(value=1.0, reason="it left a valid submission")
        if status == "ok":
            return RewardValue(value=0.0, reason=f"{action or 'nothing'} leaves no submission")
        return RewardValue(value=0.0, reason=f"it ended with status {status}")
