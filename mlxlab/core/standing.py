"""What recorded steps mean for the ones after them: the standing score, and the end."""

from __future__ import annotations

from mlxlab.core.records import CLEAN, Step


def found_score(step: Step) -> float | None:
    """The public score that a step came to, a hidden probe's included."""
    if step.probe is not None and step.probe.status == "ok":
        return step.probe.score
    return step.observation.public_score


def ends(step: Step) -> bool:
    """Whether the agent gave its final answer, so that no step comes after."""
    final = step.action is not None and step.action.type == "final_answer"
    return final and step.observation.status == "ok"


class Standing:
    """The score of the solution as it stands after each step: m_t of the step that follows it.

    A step that scores nothing, reading a file or breaking the script, leaves the score of the
    step that its state came from, so that breaking and mending again gains nothing.
    """

    def __init__(self) -> None:
        self._scores: dict[int, tuple[float | None, int | None]] = {}

    @property
    def steps(self) -> set[int]:
        """The steps that were added."""
        return set(self._scores)

    def add(self, step: Step) -> None:
        """Take a recorded step in."""
        came_from = None if step.decision.start == CLEAN else step.parent
        self._scores[step.step] = found_score(step), came_from

    def after(self, step: int | None) -> float | None:
        """The standing score after a step; None while there is none."""
        while step is not None:
            score, step = self._scores.get(step, (None, None))
            if score is not None:
                return score
        return None
