"""A reward that always says the same."""

from __future__ import annotations

from mlxlab.core.records import RewardValue
from mlxlab.core.reward import Need, StepView
from mlxlab.core.task import TaskInfo


class ConstantReward:
    """Gives every step the same value."""

    def __init__(self, value: float = 1.0, needs: frozenset[Need] = frozenset()) -> None:
        self.needs = needs
        self.range = (value, value)

    def judge(self, step: StepView, task: TaskInfo) -> RewardValue:
        """The constant."""
        return RewardValue(value=self.range[0], reason="constant")
