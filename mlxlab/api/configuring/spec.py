"""The keys of a configuration file; those of a run are the parameters of `mlxlab.run`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from mlxlab.core.amounts import bytes_of, seconds_of
from mlxlab.core.cores import gpu_indices
from mlxlab.core.errors import UsageError
from mlxlab.core.records import Feedback


def _seconds(said: object) -> object:
    return seconds_of(said) if isinstance(said, str) else said


def _bytes(said: object) -> object:
    return bytes_of(said) if isinstance(said, str) else said


def _gpus(said: object) -> object:
    """Numbers of GPUs, checked as `--gpus` is."""
    text = ",".join(map(str, said)) if isinstance(said, list | tuple) else said
    try:
        return gpu_indices(text) if isinstance(text, str) and text else said
    except UsageError as error:
        raise ValueError(error.message.rstrip(".")) from error


def _several(said: object) -> object:
    return (said,) if isinstance(said, str) else said


Count = Annotated[int, Field(ge=1)]
Dollars = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False), BeforeValidator(_seconds)]
Bytes = Annotated[int, Field(ge=1), BeforeValidator(_bytes)]
Texts = Annotated[tuple[str, ...], BeforeValidator(_several)]


class Config(BaseModel):
    """Base of the files: None is what was not said. Components stand in them as specs.

    A field's example is its default, where that is the same for every run.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    what: ClassVar[str]
    """What such a file describes, in a word."""
    command: ClassVar[str]
    """The command that takes it."""
    kinds: ClassVar[Mapping[str, str]]
    """The kind of component that each key names, where it names one."""
    lists: ClassVar[frozenset[str]] = frozenset()
    """Keys that name several components."""

    def said(self) -> dict[str, Any]:
        """What the file says."""
        return {key: value for key, value in self if value is not None}


class RunConfig(Config):
    """A whole run."""

    what: ClassVar[str] = "run"
    command: ClassVar[str] = "mlx run"
    kinds: ClassVar[Mapping[str, str]] = {
        "task": "task",
        "scaffold": "scaffold",
        "policy": "policy",
        "editor": "policy",
        "sandbox": "sandbox",
        "rewards": "reward",
    }
    lists: ClassVar[frozenset[str]] = frozenset({"rewards"})

    task: str | None = Field(None, description="What is to be solved: a task, or a folder.")
    scaffold: str | None = Field(None, description="How the agent searches.")
    policy: str | None = Field(None, description="Who writes the code.")
    editor: str | None = Field(
        None, description="Who makes delegated edits. Default: the policy itself."
    )
    sandbox: str | None = Field(None, description="Where the code runs.")
    rewards: Texts | None = Field(None, description="What judges each step.")
    feedback: Feedback | None = Field(
        None,
        description="The score the agent is told; private exposes the run. "
        "Default: public where the task has it, else self.",
    )
    ideas: Texts | None = Field(None, description="What the agent is told to try first.")
    seed: int | None = Field(None, description="Of every choice.")
    steps: Count | None = Field(None, description="Steps in all. Default: the task's own.")
    time: Seconds | None = Field(
        None, description='Duration of the run, in seconds or as "90s", "30m", "2h".'
    )
    exec_timeout: Seconds | None = Field(
        None, description="Duration of one execution. Default: the task's own."
    )
    max_cost: Dollars | None = Field(None, description="US dollars for models.")
    max_tokens: Count | None = Field(None, description="Tokens of prompts and answers in all.")
    patience: Seconds | None = Field(
        None, description="How long a provider may fail before the run stops.", examples=["30m"]
    )
    workers: Count | None = Field(
        None,
        description="Steps at one time; a replayed run has as many as it had.",
        examples=[1],
    )
    gpus: Annotated[tuple[int, ...], BeforeValidator(_gpus)] | None = Field(
        None,
        description='GPUs that the workers share: their numbers, or "0-3".',
        examples=[[]],
    )
    out: str | None = Field(None, description="The folder of runs.")
    max_state: Bytes | None = Field(
        None, description='A larger workspace is not kept: in bytes, or "500M".', examples=["1G"]
    )
    cache: bool | str | None = Field(
        None,
        description="Reuse answers to identical requests: of the runs in `out` (true), of one "
        "run, or of a folder of runs.",
        examples=[False],
    )


class TrainConfig(Config):
    """A whole training."""

    what: ClassVar[str] = "training"
    command: ClassVar[str] = "mlx train"
    kinds: ClassVar[Mapping[str, str]] = {
        "trainer": "trainer",
        "reward": "reward",
        "sandbox": "sandbox",
        "editor": "policy",
    }

    runs: Texts | None = Field(None, description="Runs, or folders of runs.", examples=[["runs"]])
    trainer: str | None = Field(None, description="How.")
    model: str | None = Field(
        None,
        description="Where it begins: a model's folder, a training's, or tiny.",
        examples=["tiny"],
    )
    steps: Count | None = Field(None, description="Optimizer steps, as the trainer's own option.")
    reward: str | None = Field(None, description="What is trained for.")
    tasks: Texts | None = Field(None, description="Only steps of these tasks.")
    sandbox: str | None = Field(None, description="Where actions run.")
    editor: str | None = Field(
        None, description="Who makes delegated edits. Default: nobody; they fail."
    )
    workers: Count | None = Field(None, description="Executions at one time. Default: all cores.")
    exec_timeout: Seconds | None = Field(
        None, description="Duration of one execution. Default: as each task says."
    )
    seed: int | None = Field(None, description="Of every choice.")
    out: str | None = Field(
        None, description="The training's folder. Default: trained/TIME-TRAINER."
    )
    cache: str | None = Field(
        None, description="Outcomes that trainings share. Default: transitions in its folder."
    )
