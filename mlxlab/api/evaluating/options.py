"""How much is measured: the [evaluate] table of a pipeline."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Count = Annotated[int, Field(ge=1)]


class Measuring(BaseModel):
    """Sizes of an evaluation, and who stands beside the policies."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    states: Count = Field(48, description="States of each set that single actions start from.")
    samples: Count = Field(8, description="Actions that are sampled at each state.")
    steps: Count = Field(5, description="Steps of an episode.")
    seeds: Count = Field(4, description="Episodes of each task.")
    held_in_tasks: int = Field(
        8,
        ge=0,
        description="Training tasks that are measured on: their states, episodes on them, and the "
        "constants, which are chosen there.",
    )
    grid: bool = Field(
        True,
        description="Whether every listed action of a task is carried out, for the ceiling, for "
        "what chance gives, and for the constants.",
    )
    swap: bool = Field(True, description="Whether descriptions are swapped between tasks.")
    expert: str | None = Field(
        "climb", description="The policy that is shown as the expert; empty: none is."
    )
    random: str | None = Field(
        "random", description="The policy that is shown as random search; empty: none is."
    )

    @property
    def shown(self) -> dict[str, str]:
        """The policies that are shown as lines, by the line's name."""
        named = {"expert": self.expert, "random search": self.random}
        return {name: spec for name, spec in named.items() if spec}
