"""Which trainings the lines of held-in states may stand beside, and why others not.

A training's figures are means over the states that it drew, judged by its own reward; the lines are
means over recorded states, judged by the evaluation's reward.
"""

from __future__ import annotations

from collections.abc import Sequence

from mlxlab.api.evaluating import HELD_IN, Evaluation
from mlxlab.api.pipeline.report.material import Arm

LINES = ("random valid", "best constant", "ceiling")
PANELS = ("reward", "improvement", "valid")
"""The figures of a training that lines have too."""


def comparable(arms: Sequence[Arm], evaluation: Evaluation, figure: str) -> bool:
    """Whether there are lines of a figure that say something about any of these trainings."""
    return figure in PANELS and any(not _why_not(arm, evaluation, figure) for arm in arms)


def told(arms: Sequence[Arm], evaluation: Evaluation | None) -> str:
    """What a caption has to say of the lines; empty where none is known."""
    if evaluation is None or not _known(evaluation):
        return ""
    drawn = any(comparable(arms, evaluation, figure) for figure in PANELS)
    text = "Horizontal lines are of held-in states." if drawn else "No line stands beside them."
    each = ((arm.name, _why_not(arm, evaluation, "reward")) for arm in arms)
    reasons = [f"{name}: {why}" for name, why in each if why]
    if not reasons:
        return text
    return f"{text} Not comparable with lines of held-in states: {'; '.join(reasons)}."


def _known(evaluation: Evaluation) -> bool:
    found = [evaluation.subject(line) for line in LINES]
    return any(subject is not None and HELD_IN in subject.singles for subject in found)


def _why_not(arm: Arm, evaluation: Evaluation, figure: str) -> str:
    reasons = []
    if arm.own:
        reasons.append(f"{arm.own:.0%} of its states are its own")
    if figure == "reward" and arm.reward != evaluation.reward:
        reasons.append(f"its reward is {arm.reward}, theirs {evaluation.reward}")
    return " and ".join(reasons)
