"""A reward, made anew for each check, and what it says of many steps."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import ClassVar

from mlxlab.core.records import RewardValue
from mlxlab.core.reward import Reward
from mlxlab.testing.kit import Conformance
from mlxlab.testing.kit.running import told as told_of
from mlxlab.testing.rewards.steps import Case, loud, ordinary, wide


class Harness(Conformance, ABC):
    """Makes rewards, and has them judge."""

    prefix: ClassVar[str] = "reward"
    basics = ("has_something_to_say",)
    declarable = ("cases",)

    @classmethod
    @abstractmethod
    def make(cls) -> Reward:
        """A new reward."""

    @classmethod
    def cases(cls) -> Sequence[Case]:
        """What a reward is put to: honest steps, those that print much, and every odd sort."""
        return (*ordinary(), *loud(), *wide())

    @staticmethod
    def judged(reward: Reward, cases: Iterable[Case]) -> list[RewardValue]:
        """What a reward says of each step; an exception is told with the step that raised it."""
        said = []
        for case in cases:
            try:
                said.append(reward.judge(*case))
            except Exception as error:
                raise AssertionError(f"judge raises {told_of(error)}, for {told(case)}") from error
        return said


def said(reward: Reward, cases: Sequence[Case]) -> list[str]:
    """What a reward says of each step, in words that can be compared."""
    return [repr(each) for each in Harness.judged(reward, cases)]


def told(case: Case) -> str:
    """A step in a line."""
    step = case.step
    action = step.action.type if step.action else "no action"
    probe = f", probe {step.probe.status} {step.probe.score}" if step.probe else ""
    seen = step.observation
    out, err = len(seen.stdout), len(seen.stderr)
    printed = f", printed {out} characters on stdout and {err} on stderr" if err or out > 9 else ""
    return (
        f"{action} that ended with status {seen.status} and score {seen.public_score} after "
        f"{step.decision.score}{probe}{printed} ({case.task.metric.direction})"
    )
