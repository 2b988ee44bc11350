"""The contract of a trainer: recorded steps and a policy in, a new policy out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from mlxlab.core.records import Record

if TYPE_CHECKING:
    from mlxlab.core.training.arena import Arena
    from mlxlab.core.training.examples import Corpus

FINAL = "final"
"""The folder below a training's own that holds its result, which the new policy is made from."""
CHECKPOINTS = "checkpoints"


class TrainProgress(Record):
    """One training step's figures, by name.

    Names that live views and reports know, all means over the step: reward, improvement (share of
    actions whose score is better than the state's), valid (share with an action that could be
    carried out without an error), kl, entropy (nats a token), unique (distinct actions), actions,
    groups (of several actions), flat_groups (those without variance), unvalued (actions without a
    reward), executed, cached, failed, execution_s (summed over what was executed), transitions (all
    actions up to this step, cached ones included), and seconds by phase: generate_s, execute_s
    (wall), update_s, step_s; loss, lr.
    """

    step: int
    total: int | None = None
    figures: dict[str, float] = {}


class PolicyRef(Record):
    """A policy that `--policy` accepts, written as a component spec."""

    spec: str


class Estimate(Record):
    """One line of a dry run: what a training takes before it is started.

    `basis` says what the figure comes from: a formula, a measurement on another machine.
    """

    name: str
    value: str
    basis: str = ""


class Machine(Record):
    """The machine that a dry run is for: memory in GiB, speed in TFLOP/s of bf16, money an hour."""

    gpus: int = 0
    gpu_name: str = ""
    gpu_memory_gib: float = 0.0
    gpu_tflops: float = 0.0
    usd_per_hour: float = 0.0
    cores: int = 1


@dataclass(frozen=True)
class TrainJob:
    """What a trainer is given.

    Args:
        corpus: the recorded steps.
        base: where training begins: `local:FOLDER`, or `tiny?...`, a model made from nothing.
        out: the training's own folder. Checkpoints go below `out/checkpoints`, the result to
            `out/final`; a trainer that finds checkpoints there goes on from the newest whole one.
        arena: takes actions; None for a trainer whose `needs_arena` is False.
        reward: the name under which `Taken.rewards`, and the recorded `Example.rewards`, hold the
            reward to train on.
        seed: of every choice.
        tell: who hears of each optimizer step, once it is safe on disk.
        warn: who hears, in a line, of what was left out or went wrong without ending the training.
    """

    corpus: Corpus
    base: PolicyRef
    out: Path
    arena: Arena | None = None
    reward: str = "ml-agent"
    seed: int = 0
    tell: Callable[[TrainProgress], None] = lambda progress: None
    warn: Callable[[str], None] = lambda line: None


@runtime_checkable
class Trainer(Protocol):
    """Makes a policy of another one and recorded steps; its options are its config's fields."""

    needs_arena: bool
    """Whether it takes actions from recorded states."""

    def train(self, job: TrainJob) -> PolicyRef:
        """Train to the end and return the new policy, whose spec's argument is `OUT/final`.

        It is `local:OUT/final` for a model of Hugging Face; a trainer of something else names a
        policy that reads what it wrote there.

        Raises:
            MissingExtra: a package is not installed.
            UsageError: model, options and recorded steps do not go together.
        """
        ...


@runtime_checkable
class Estimating(Protocol):
    """A trainer that can tell what a job will take; optional."""

    def estimate(self, job: TrainJob, machine: Machine) -> list[Estimate]:
        """What the job takes on a machine, without loading a model's weights."""
        ...


@runtime_checkable
class Continuing(Protocol):
    """A trainer that takes several actions in a row, each where the last one ended; optional."""

    keeps_states: bool
    """Whether its arena has to keep the workspace after each action."""
