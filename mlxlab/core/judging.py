"""What rewards make of a step: their values, or who failed and how."""

from __future__ import annotations

from collections.abc import Mapping

from mlxlab.core.boundary import Boundary, Late, kept_text, number_problem
from mlxlab.core.errors import MlxError, PluginError
from mlxlab.core.hooks import Hooks
from mlxlab.core.records import RewardValue
from mlxlab.core.reward import Reward, StepView
from mlxlab.core.task import TaskInfo


class Refused(PluginError):
    """A judgement that cannot be recorded.

    Args:
        owner: whose it is.
        found: what is wrong with it, in words.
    """

    def __init__(self, owner: str, found: str) -> None:
        super().__init__(f"{owner}: judge {found}.", owner=owner, call="judge")
        self.found = found


def rewarded(
    rewards: Mapping[str, Reward],
    view: StepView,
    task: TaskInfo,
    owners: Mapping[str, str] | None = None,
    hooks: Hooks | None = None,
) -> dict[str, RewardValue]:
    """What each reward makes of a step, by name; raises Late where one never ends."""
    who = owners or {}
    return {
        name: judge(who.get(name, f"reward '{name}'"), reward, view, task, hooks)
        for name, reward in rewards.items()
    }


def judge(
    who: str, reward: Reward, view: StepView, task: TaskInfo, hooks: Hooks | None = None
) -> RewardValue:
    """A reward's value, or None with the reason where the reward fails or leaves its range."""
    try:
        return judged(who, reward, view, task)
    except Late:
        raise
    except MlxError as error:
        if hooks is not None:
            hooks.swallowed(error, error.found if isinstance(error, Refused) else "")
        said = str(error).rstrip(".")
        return RewardValue(value=None, reason=said if who in said else f"{who}: {said}")


def judged(who: str, reward: Reward, view: StepView, task: TaskInfo) -> RewardValue:
    """A reward's value; raises MlxError where the reward fails or leaves its range."""
    with Boundary(who, "judge"):
        value: object = reward.judge(view, task)
        low, high = reward.range
    if not isinstance(value, RewardValue):
        raise Refused(who, f"returned {type(value).__name__}, no RewardValue")
    number = value.value
    if number is not None and (number_problem(number) or not low <= number <= high):
        raise Refused(who, f"returned {number}, outside [{low}, {high}]")
    return value.model_copy(update={"reason": kept_text(value.reason)})
