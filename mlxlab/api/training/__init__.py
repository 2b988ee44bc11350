"""Training from Python: recorded runs and a model in, a better policy out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from mlxlab.api.training.folder import TrainFolder
from mlxlab.api.training.options import TrainOptions, as_paths
from mlxlab.api.training.planning import TrainPlan, options_of, plan_training
from mlxlab.api.training.record import TrainManifest
from mlxlab.api.training.result import Training
from mlxlab.api.training.running import abandoned, found, run_plan
from mlxlab.api.training.watching import Callbacks, Watch
from mlxlab.core.trainer import TrainProgress

__all__ = [
    "TrainFolder",
    "TrainManifest",
    "TrainOptions",
    "TrainPlan",
    "Training",
    "Watch",
    "abandoned",
    "found",
    "options_of",
    "plan_training",
    "run_plan",
    "train",
]


def train(
    runs: Sequence[Path | str] | Path | str,
    *,
    trainer: str = "grpo",
    model: str | None = None,
    rewards: str = "ml-agent",
    sandbox: str = "local",
    editor: str | None = None,
    workers: int | None = None,
    exec_timeout_s: float | None = None,
    cache: Path | None = None,
    seed: int = 0,
    out: Path | str,
    tasks: Sequence[str] | None = None,
    trust: bool = False,
    tell: Callable[[TrainProgress], None] | None = None,
    warn: Callable[[str], None] | None = None,
) -> Training:
    """Train a policy on recorded steps; `TrainOptions` describes the options.

    A training that was interrupted or killed goes on with the same call; one that is done is
    returned as it is. A model that is made from nothing is taught by SFT first, in `out/sft`,
    before a trainer has it act.

    Args:
        runs: run folders, and folders of runs.
        trainer: `sft`, `grpo`, `ppo`, ..., with options: `grpo?steps=100`.
        model: where training begins; None is the tiny model, made from nothing.
        rewards: the spec of the reward to train on.
        sandbox: the spec of the sandbox that actions run in.
        editor: the policy that carries out delegated edits.
        workers: executions at one time.
        exec_timeout_s: seconds of one execution.
        cache: a folder of outcomes that several trainings share.
        seed: of every choice.
        out: the training's folder.
        tasks: only states of these tasks.
        trust: whether actions are carried out on the tasks of runs that others recorded.
        tell: hears of each optimizer step.
        warn: hears, in a line, of what was left out or went wrong.

    Raises:
        UsageError: options and runs do not go together, or `out` holds another training.
        RecordError: another process trains into `out`, or the disk is full.
        MlxError: the trainer failed; what was trained stays.
    """
    options = TrainOptions(
        runs=as_paths(runs),
        out=Path(out),
        trainer=trainer,
        model=model,
        rewards=rewards,
        sandbox=sandbox,
        editor=editor,
        workers=workers,
        exec_timeout_s=exec_timeout_s,
        cache=cache,
        seed=seed,
        tasks=None if tasks is None else tuple(tasks),
        trust=trust,
    )
    return run_plan(plan_training(options), Callbacks(tell, warn))
