"""What came of an action, read the same way by every reward."""

from __future__ import annotations

from math import isfinite
from typing import NamedTuple

from mlxlab.core.records import Status
from mlxlab.core.reward import StepView


class Outcome(NamedTuple):
    """The status that counts and the public score after the action.

    A probe, where one was made, decides both: it ran what the edit only wrote.
    """

    status: Status
    score: float | None
    source: str


def outcome(step: StepView) -> Outcome:
    """The outcome of a step; an edit that could not even be written keeps its own status."""
    seen = step.observation
    if step.probe is not None and seen.status == "ok":
        return Outcome(step.probe.status, finite(step.probe.score), "probe")
    return Outcome(seen.status, finite(seen.public_score), "step")


def finite(score: float | None) -> float | None:
    """A score that can be compared, or None."""
    return score if score is not None and isfinite(score) else None


def say(score: float) -> str:
    """A number as reasons write it."""
    return f"{score:.6g}"
