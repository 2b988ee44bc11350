"""The pipeline file: which tasks, who shows how, what is trained from it, and what is measured."""

from __future__ import annotations

import shlex
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from mlxlab.api.evaluating import Measuring

Names = tuple[str, ...]
Count = Annotated[int, Field(ge=1)]
Amount = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
Side = Literal["train", "held-out"]
TAKEN = ("explore", "evaluate", "report", "transitions", "pipeline.json", "pipeline.json.new")
"""What lies in a pipeline's folder beside its trainings."""
LINES = ("expert", "random search", "random valid", "best constant")
"""Names of reference lines, which no policy may have."""


class Table(BaseModel):
    """A table of the file: unknown keys and values of another type are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class ExploreTable(Table):
    """[explore]: ideas for each training task, the most diverse of them kept."""

    policy: str = Field("climb", description="Who is asked for ideas.")
    version: Literal[1, 2] = Field(1, description="Of the paper's way to choose them.")
    candidates: Count = Field(100, description="Ideas that are asked for, for each task.")
    keep: Count = Field(10, description="How many are kept, in version 1.")
    per_axis: Count = Field(5, description="How many are kept of each axis, in version 2.")
    embedder: str | None = Field(
        None, description="The folder of a sentence-transformers model, or tfidf; None: tfidf."
    )


class CollectTable(Table):
    """One [[collect]]: trajectories that are recorded."""

    name: Name = "expert"
    part: Side = Field(
        "train", description="held-out: its states are measured on, never trained on."
    )
    tasks: Names | None = Field(None, description="The pipeline's own of that part by default.")
    policy: str = Field("climb", description="Who acts.")
    explored: bool = Field(
        True, description="Whether ideas are woven in, where [explore] found some."
    )
    steps: Count = Field(6, description="Steps of a trajectory.")
    trajectories: Count = Field(2, description="Trajectories of each task.")
    held_back: int = Field(
        0, ge=0, description="Of each task's trajectories, how many are kept for held-in states."
    )

    @model_validator(mode="after")
    def _something_left(self) -> CollectTable:
        if self.held_back >= self.trajectories:
            raise ValueError("held_back leaves no trajectory to train on")
        return self


class TrainTable(Table):
    """What [[sft]] and [[rl]] have in common; None takes the pipeline's own."""

    name: Name
    trainer: str
    model: str | None = Field(None, description="A model to begin with, instead of `start`.")
    start: Name | None = Field(None, description="The stage whose result it begins with.")
    collected: Names | None = Field(None, description="Names of [[collect]]; all of part train.")
    tasks: Names | None = Field(None, description="Only states of these tasks.")
    reward: str | None = None
    exec_timeout: Amount | None = None
    launch: str | None = Field(
        None,
        description="A command that starts `mlx train` in processes of its own: "
        "'accelerate launch --num_processes 8'.",
    )
    cache: Literal["shared", "own"] = Field(
        "shared",
        description="own: outcomes of no other stage are used, so that its seconds are its own.",
    )
    card: Literal["main", "ablation"] = Field(
        "main", description="ablation: shown apart in the report."
    )

    @field_validator("name")
    @classmethod
    def _own_folder(cls, name: str) -> str:
        if name in TAKEN or name.startswith("collect-"):
            raise ValueError(f"'{name}' is the name of another stage or file")
        return name

    @field_validator("launch")
    @classmethod
    def _command(cls, launch: str | None) -> str | None:
        if launch is not None and not shlex.split(launch):
            raise ValueError("it is no command")
        return launch


class SFTTable(TrainTable):
    """One [[sft]]: fine-tuning on collected steps."""

    name: Name = "sft"
    trainer: str = "sft"


class RLTable(TrainTable):
    """One [[rl]]: an arm of reinforcement learning, from the SFT's result by default."""

    name: Name = "grpo"
    trainer: str = "grpo"


class EvaluateTable(Measuring):
    """[evaluate]: how much is measured, and whom beside the trained policies."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    base: bool = Field(True, description="Whether the untrained model is measured too.")
    policies: dict[str, str] = Field({}, description="More policies, by the name in the report.")
    sampling: str = Field(
        "temperature=1", description="Options of `local:` for the policies that were trained."
    )


class MachineTable(Table):
    """[machine]: what a dry run estimates for, where it is not this one."""

    gpus: int = Field(0, ge=0)
    gpu_name: str = ""
    gpu_memory_gib: float = Field(0.0, ge=0)
    gpu_tflops: float = Field(0.0, ge=0, description="TFLOP/s of bf16, dense.")
    usd_per_hour: float = Field(0.0, ge=0, description="Of the whole machine.")
    cores: Count = 1


class PipelineSpec(Table):
    """A whole pipeline file."""

    name: Name
    note: str = Field("", description="Shown in the report and in dry runs.")
    seed: int = 0
    tasks: Names = Field(description="To train on; `generated:linear/0-4` stands for five.")
    held_out: Names = Field((), description="Never trained on.")
    scaffold: str = "recipe?explain=false"
    sandbox: str = "local"
    reward: str = "ml-agent"
    editor: str | None = None
    workers: Count | None = None
    exec_timeout: Amount | None = None
    model: str = Field("tiny", description="The model that training begins with.")
    cache: str | None = Field(None, description="A folder of outcomes, shared between pipelines.")
    explore: ExploreTable | None = None
    collect: tuple[CollectTable, ...] = Field(min_length=1)
    sft: tuple[SFTTable, ...] = ()
    rl: tuple[RLTable, ...] = ()
    evaluate: EvaluateTable | None = EvaluateTable()
    machine: MachineTable | None = None
    facts: dict[str, Any] = Field(
        {}, description="config.json of a model that is not on this disk, for dry runs."
    )

    @field_validator("collect", "sft", "rl", mode="before")
    @classmethod
    def _one_or_several(cls, said: object) -> object:
        """[sft] is one [[sft]]."""
        return (said,) if isinstance(said, dict) else said

    @model_validator(mode="after")
    def _fits_together(self) -> PipelineSpec:
        if not self.tasks:
            raise ValueError("tasks: there is none to train on")
        names = [each.name for each in self.collect]
        names += [each.name for each in (*self.sft, *self.rl)]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f"two tables are called '{twice}'")
        collected = {table.name for table in self.collect if table.part == "train"}
        if not collected:
            raise ValueError("collect: no table collects for training")
        before: list[str] = []
        for table in (*self.sft, *self.rl):
            if table.start is not None and table.start not in before:
                raise ValueError(
                    f"{table.name}: start = '{table.start}' is no sft or rl table before it"
                )
            if lost := set(table.collected or ()) - collected:
                raise ValueError(f"{table.name}: collected: '{min(lost)}' is no collect table")
            before.append(table.name)
        measured = self.evaluate.policies if self.evaluate is not None else {}
        if twice := next((name for name in (*before, "base", *LINES) if name in measured), None):
            raise ValueError(f"evaluate.policies: '{twice}' is measured anyway")
        return self
