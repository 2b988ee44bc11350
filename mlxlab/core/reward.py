"""The contract of a reward: one executed step in, a number with a reason out."""

from __future__ import annotations

from typing import Literal, Protocol, runtime_checkable

from pydantic import Field

from mlxlab.core.actions import Action
from mlxlab.core.records import Decision, Observation, Probe, Record, RewardValue
from mlxlab.core.task import TaskInfo

Need = Literal["probe", "boards"]
"""What a reward is made of beside the step.

`probe`: after an edit that runs nothing (`edit_file`, `edit_script`) and succeeded, the entrypoint
is run where neither agent nor workspace notices; `StepView.probe` holds what came of it.
`boards`: values tell places among `TaskInfo.boards`. Where an agent is shown them, as in Gymnasium,
the attestation says so.
"""


class StepView(Record):
    """What a reward sees of a step: no private score is in it."""

    decision: Decision
    action: Action | None = Field(description="None where the answer held none.")
    observation: Observation
    probe: Probe | None = Field(None, description="None where no reward needs one, or none ran.")


@runtime_checkable
class Reward(Protocol):
    """A synchronous, pure function of a step. `range` holds every value it can return."""

    needs: frozenset[Need]
    """What else has to be there; most rewards need nothing: `frozenset()`."""
    range: tuple[float, float]
    """The least and the greatest value."""

    def judge(self, step: StepView, task: TaskInfo) -> RewardValue:
        """Judge one step; value None, with the reason, where nothing can be said."""
        ...
