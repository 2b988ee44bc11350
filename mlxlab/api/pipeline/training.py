"""The stages that train: in this process, or in processes that a launcher starts."""

from __future__ import annotations

import shlex
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mlxlab.api.pipeline.gathering import stage_name
from mlxlab.api.pipeline.spec import RLTable, TrainTable
from mlxlab.api.pipeline.tasks import expanded
from mlxlab.api.pipeline.work import Result, Work
from mlxlab.api.training import (
    TrainFolder,
    Training,
    TrainManifest,
    TrainOptions,
    Watch,
    plan_training,
    run_plan,
)
from mlxlab.core.errors import MlxError
from mlxlab.core.trainer import FINAL, TrainProgress

_LOOK_S = 1.0


def train_stage(work: Work, table: TrainTable) -> Result:
    """One training, begun or taken up."""
    out = work.folder.of(table.name)
    given = options_of(work, table)
    if table.launch is not None:
        _launched(work, table, out, given)
        done = Training(out)
    else:
        plan = plan_training(TrainOptions(**given, out=out))
        done = run_plan(plan, Telling(work))
    base = out / "base"
    figures = [step.figures for step in done.steps]
    return {
        "policy": work.folder.relative(out / FINAL),
        "base": work.folder.relative(base) if base.is_dir() else None,
        "trainer": table.trainer,
        "reward": given["rewards"],
        "steps": len(figures),
        "wall_s": done.manifest.wall_s,
        "examples": done.manifest.corpus.examples,
        "totals": totals(figures),
    }


class Telling(Watch):
    """Passes on what a training tells."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def begin(self, manifest: TrainManifest, folder: Path, before: Sequence[TrainProgress]) -> None:
        """A training begins; where a model is made from nothing, another one came before."""
        self._work.watch.training(manifest, folder, before)

    def step(self, progress: TrainProgress) -> None:
        """An optimizer step is safe."""
        self._work.watch.step(progress)

    def warn(self, line: str) -> None:
        """Keep the line for the report."""
        self._work.note(line)


def totals(figures: Sequence[dict[str, float]]) -> dict[str, float]:
    """Sums over a training's steps of what may be summed."""
    names = ("executed", "cached", "failed", "execution_s", "generate_s", "execute_s", "update_s",
             "step_s", "actions")  # fmt: skip
    return {
        name: sum(each.get(name, 0.0) for each in figures)
        for name in names
        if any(name in each for each in figures)
    }


def options_of(work: Work, table: TrainTable) -> dict[str, Any]:
    """What `train` is called with, the folder and the listeners left out."""
    spec = work.spec
    return {
        "runs": tuple(runs_of(work, table)),
        "trainer": table.trainer,
        "model": model_of(work, table),
        "rewards": table.reward or spec.reward,
        "sandbox": spec.sandbox,
        "editor": spec.editor,
        "workers": work.workers,
        "exec_timeout_s": table.exec_timeout or spec.exec_timeout,
        "cache": work.cache if table.cache == "shared" else None,
        "seed": spec.seed,
        "tasks": state_tasks(work, table),
    }


def start_of(work: Work, table: TrainTable) -> str | None:
    """The stage whose result a training begins with; None: with a model."""
    if table.model is not None:
        return None
    if table.start is not None:
        return table.start
    first = work.spec.sft[0].name if work.spec.sft else None
    return first if isinstance(table, RLTable) else None


def model_of(work: Work, table: TrainTable) -> str:
    """The model that a training begins with."""
    start = start_of(work, table)
    if start is not None:
        return str(work.path(work.result(start)["policy"]))
    return table.model or work.spec.model


def collected_by(work: Work, table: TrainTable) -> tuple[str, ...]:
    """The collecting stages whose runs a training reads."""
    return tuple(
        stage_name(each)
        for each in work.spec.collect
        if each.part == "train" and (table.collected is None or each.name in table.collected)
    )


def runs_of(work: Work, table: TrainTable) -> list[Path]:
    """The run folders that a training reads; those that were kept back are none of them."""
    return [
        work.path(run) for name in collected_by(work, table) for run in work.result(name)["runs"]
    ]


def state_tasks(work: Work, table: TrainTable) -> tuple[str, ...] | None:
    """Only these tasks' states: of an RL arm the pipeline's own, unless it names others.

    Other tables may collect on slow tasks too, whose steps serve fine-tuning.
    """
    if table.tasks is not None:
        return expanded(table.tasks, "train", work.registry)
    return work.tasks if isinstance(table, RLTable) else None


def _launched(work: Work, table: TrainTable, out: Path, given: dict[str, Any]) -> None:
    """Train in processes of their own, and tell of the steps that they write."""
    assert table.launch is not None
    command = [*shlex.split(table.launch), "-m", "mlxlab", *as_words(given, out)]
    told = 0
    log = out.with_name(f"{out.name}.log")
    with log.open("ab") as sink, subprocess.Popen(command, stdout=sink, stderr=sink) as process:
        try:
            while process.poll() is None:
                time.sleep(_LOOK_S)
                steps = TrainFolder(out).progress()
                for step in steps[told:]:
                    work.watch.step(step)
                told = len(steps)
        except BaseException:
            process.terminate()
            raise
    if process.returncode:
        raise MlxError(
            f"The stage {table.name} ended with exit status {process.returncode}.",
            f"Its output is in {log}",
        )


def as_words(given: dict[str, Any], out: Path) -> list[str]:
    """The same training as words of the command line."""
    words = ["train", *map(str, given["runs"])]
    options = {
        "--trainer": given["trainer"],
        "--model": given["model"],
        "--reward": given["rewards"],
        "--sandbox": given["sandbox"],
        "--editor": given["editor"],
        "--workers": given["workers"],
        "--exec-timeout": given["exec_timeout_s"],
        "--cache": given["cache"],
        "--seed": given["seed"],
        "--out": out,
    }
    for name, value in options.items():
        words += [name, str(value)] if value is not None else []
    for task in given["tasks"] or ():
        words += ["--task", task]
    return [*words, "--quiet"]
