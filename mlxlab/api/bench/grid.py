"""The grid file: which tasks, scaffolds, policies and seeds, and under which protocol."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from mlxlab.api.tables import made_of, read_toml
from mlxlab.core.records import Feedback

Names = tuple[str, ...]
Steps = Annotated[int, Field(ge=1)]
Amount = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Settings(BaseModel):
    """What may be said of all runs of a grid, or of one arm alone; None leaves it open."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    sandbox: str | None = Field(None, description="Where the code runs; `local` by default.")
    editor: str | None = Field(None, description="Who makes delegated edits.")
    rewards: Names | None = Field(None, description="What judges each step; none by default.")
    steps: Steps | None = Field(None, description="Of each run.")
    time: Amount | None = Field(None, description="Seconds that each run may take.")
    exec_timeout: Amount | None = Field(None, description="Seconds of one execution.")
    feedback: Feedback | None = Field(None, description="Which score agents are told.")
    max_cost: Amount | None = Field(None, description="US dollars that each run may spend.")
    max_tokens: Steps | None = Field(None, description="Tokens that each run may spend.")
    patience: Amount | None = Field(None, description="Seconds that a provider may fail.")


class ArmTable(Settings):
    """One [[arms]] table: a scaffold and a policy with settings and a name of their own."""

    name: str = Field(min_length=1)
    scaffold: str | None = None
    policy: str | None = None


class Limits(BaseModel):
    """The [budget] table: what all runs may spend together; None is no limit."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    max_cost: Amount | None = Field(None, description="US dollars.")
    max_tokens: Steps | None = Field(None, description="Of prompts and answers.")
    time: Amount | None = Field(None, description="Seconds, over all sessions of the bench.")

    @property
    def spends(self) -> bool:
        """Whether calls have to be reserved for."""
        return self.max_cost is not None or self.max_tokens is not None


class Grid(Settings):
    """A grid file: tasks x arms x seeds."""

    name: str | None = Field(None, description="The bench's name; the file's by default.")
    suite: str | None = Field(None, description="A suite whose tasks and protocol are taken.")
    part: Literal["train", "held-out"] | None = Field(None, description="Of the suite.")
    tasks: Names = Field((), description="Tasks, besides those of the suite.")
    scaffolds: Names = ()
    policies: Names = ()
    seeds: tuple[int, ...] = Field((0,), description="Seeds, or how many from 0 on.")
    arms: tuple[ArmTable, ...] = ()
    budget: Limits = Limits()

    @field_validator("seeds", mode="before")
    @classmethod
    def _counted(cls, said: object) -> object:
        if not isinstance(said, int) or isinstance(said, bool):
            return said
        if said < 1:
            raise ValueError(f"{said} is no number of seeds")
        return tuple(range(said))

    @model_validator(mode="after")
    def _whole(self) -> Grid:
        if self.suite is None and not self.tasks:
            raise ValueError("it names neither tasks nor a suite")
        if self.part is not None and self.suite is None:
            raise ValueError("'part' is of a suite, and none is named")
        if not self.seeds:
            raise ValueError("it has no seed")
        names = [arm.name for arm in self.arms]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f"two arms are called '{twice}'")
        return self


def read_grid(path: Path) -> Grid:
    """A grid file; raises UsageError in one line that says where the mistake is."""
    return grid_of({"name": path.stem, **read_toml(path)}, str(path))


def grid_of(values: Mapping[str, Any], where: str) -> Grid:
    """A grid from its tables; raises UsageError with the key and what comes near it."""
    return made_of(Grid, values, where, {"budget": Limits, "arms": ArmTable})
