"""A training from its plan to its result: begun, taken up, or found to be done."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from inspect import iscoroutine
from pathlib import Path

from mlxlab.api.training.acting import arena_of
from mlxlab.api.training.failing import interrupts, told
from mlxlab.api.training.folder import TrainFolder, TrainWriter, written
from mlxlab.api.training.planning import TrainPlan
from mlxlab.api.training.processes import rank
from mlxlab.api.training.record import Figures, TrainManifest, TrainStatus, differences
from mlxlab.api.training.result import Training
from mlxlab.api.training.watching import Watch
from mlxlab.core.boundary import whose
from mlxlab.core.errors import UsageError, broken
from mlxlab.core.hooks import Hooks
from mlxlab.core.registry import Registry
from mlxlab.core.spec import Spec
from mlxlab.core.trainer import FINAL, PolicyRef, TrainJob, TrainProgress
from mlxlab.core.watch import watching

_BEAT_S = 5.0
"""How often train.json is brought up to date; what a kill costs its wall time."""
_WARNINGS = 200
"""More different lines than these are told and not kept."""


def run_plan(plan: TrainPlan, watch: Watch | None = None, hooks: Hooks | None = None) -> Training:
    """Train to the end; what is done already is not done again.

    Raises:
        UsageError: the folder holds a training of other options.
        RecordError: another process trains into it, or the disk is full.
        MlxError: the trainer failed; what was trained stays.
    """
    before = found(plan)
    if before is not None and before.status == "done":
        return Training(plan.folder)
    if rank() > 0:
        return _attend(plan, hooks or Hooks.installed())
    with written(plan.folder) as writer:
        if found(plan) is None:  # asked again: another process may have begun meanwhile
            writer.clear()
        return _Session(plan, writer, watch or Watch(), hooks or Hooks.installed()).run()


def found(plan: TrainPlan) -> TrainManifest | None:
    """What the folder holds of this training already; None where nothing was trained there.

    Raises:
        UsageError: it holds another training.
    """
    folder = TrainFolder(plan.folder)
    if not folder.begun:
        return None
    before = folder.manifest()
    if before.status != "done" and not folder.kept:
        return None
    if others := differences(before, plan.manifest):
        raise UsageError(
            f"{plan.folder} holds another training: {others[0]}.",
            f"Name another folder with --out, or go on: mlx train --resume {plan.folder}",
        )
    return before


def abandoned(plan: TrainPlan, error: str) -> None:
    """Write that a training failed, where its thread can be given nothing more to do.

    Args:
        plan: what was being trained, with what teaches the base first if there is such.
        error: why it ended.

    Raises:
        RecordError: train.json cannot be read.
        OSError: it cannot be written.
    """
    for each in (plan, plan.warm_up):
        if each is None or not (folder := TrainFolder(each.folder)).begun:
            continue
        manifest = folder.manifest()
        if manifest.status == "running":
            folder.write(manifest.model_copy(update={"status": "failed", "error": error}))


def _attend(plan: TrainPlan, hooks: Hooks) -> Training:
    """Train beside the process that keeps the record."""
    plan.folder.mkdir(parents=True, exist_ok=True)
    if plan.warm_up is not None:
        run_plan(plan.warm_up, hooks=hooks)
    with watching(), arena_of(plan, hooks, lambda line: None, None) as arena:
        trained(plan, replace(plan.job(), arena=arena))
    return Training(plan.folder)


def trained(plan: TrainPlan, job: TrainJob) -> PolicyRef:
    """What a plan's trainer makes of a job."""
    trainer = plan.parts.trainer
    with _back_here():
        result: object = trainer.instance.train(job)
    if not isinstance(result, PolicyRef):
        kind, hint = type(result).__name__, ""
        if iscoroutine(result):
            result.close()
            hint = "Write def train(self, job), without async."
        raise broken(whose(trainer.ref), "train", f"returned {kind}, no PolicyRef", hint)
    try:
        Registry.installed().check("policy", result.spec)
    except UsageError as error:
        told = f"returned '{result.spec}', no policy: {error.message.rstrip('.')}"
        raise broken(whose(trainer.ref), "train", told, error.hint) from error
    if rank() == 0 and (problem := _misplaced(result, job.out)):
        raise broken(whose(trainer.ref), "train", f"returned '{result.spec}', {problem}")
    return result


@contextmanager
def _back_here() -> Iterator[None]:
    """Work in the same folder again: what the user named goes by it."""
    here = Path.cwd()
    try:
        yield
    finally:
        os.chdir(here)


def _misplaced(result: PolicyRef, out: Path) -> str:
    """What is wrong with where a policy is said to lie; empty: nothing, or it lies elsewhere."""
    argument, final = Spec.parse(result.spec).argument, (out / FINAL).resolve()
    place = Path(argument).resolve() if argument else Path()
    if place == final:
        return "" if final.is_file() or any(final.glob("*")) else "and wrote nothing there"
    beside = place.is_relative_to(out.resolve()) and not place.is_relative_to(final)
    by_out = bool(argument) and not place.exists() and (out / str(argument)).exists()
    if beside or by_out:
        return f"where NAME:{out / FINAL} is expected: what a training keeps lies there"
    return ""


class _Session:
    """One process's part of a training."""

    def __init__(self, plan: TrainPlan, writer: TrainWriter, watch: Watch, hooks: Hooks) -> None:
        self._plan, self._writer, self._watch, self._hooks = plan, writer, watch, hooks
        self._manifest = plan.manifest
        self._before_s = 0.0
        self._since = self._beat = time.monotonic()
        before = found(plan)
        if before is not None:
            self._before_s = before.wall_s
            kept = {"created_at": before.created_at, "sessions": before.sessions + 1}
            self._manifest = plan.manifest.model_copy(
                update={**kept, "warnings": before.warnings, "figures": before.figures}
            )

    def run(self) -> Training:
        """Everything, in order."""
        with interrupts() as came:
            return self._run(came)

    def _run(self, came: list[int]) -> Training:
        try:
            self._writer.write(self._manifest.signed())
            if self._plan.warm_up is not None:
                run_plan(self._plan.warm_up, self._watch, self._hooks)
            self._since = self._beat = time.monotonic()
            self._watch.begin(self._manifest, self._plan.folder, tuple(self._writer.steps))
            for line in self._manifest.corpus.skipped if self._plan.warm_up is None else ():
                self._warn(line)
            result = self._train()
        except BaseException as error:
            trainer = self._plan.parts.trainer.ref
            failure = told(error, trainer, self._plan.folder, interrupted=bool(came))
            interrupted = isinstance(failure, KeyboardInterrupt)
            self._end("interrupted" if interrupted else "failed", str(failure) or None)
            if failure is error:
                raise
            raise failure from error
        self._end("done", result=result.spec)
        return Training(self._plan.folder)

    def _train(self) -> PolicyRef:
        made = arena_of(self._plan, self._hooks, self._warn, self._writer.scratch)
        with watching(), made as arena:
            job = replace(self._plan.job(), arena=arena, tell=self._tell, warn=self._warn)
            return trained(self._plan, job)

    def _tell(self, progress: TrainProgress) -> None:
        """Write a step, then tell of it; one taken again after a kill is shown, not written."""
        given: object = progress
        if not isinstance(given, TrainProgress):
            raise TypeError(f"tell got {given!r:.80}, which is no TrainProgress")
        if self._writer.add(progress):
            self._hooks.training_step(progress)
        if time.monotonic() - self._beat >= _BEAT_S:
            self._beat = time.monotonic()
            self._write("running")
        self._watch.step(progress)

    def _warn(self, line: str) -> None:
        known = self._manifest.warnings
        if line in known[-_WARNINGS:]:
            return
        if len(known) < _WARNINGS:
            self._manifest = self._manifest.model_copy(update={"warnings": (*known, line)})
        self._watch.warn(line)

    def _end(
        self, status: TrainStatus, error: str | None = None, result: str | None = None
    ) -> None:
        """Write how it ended; on a full disk the record stays as it was, which is unfinished."""
        if status == "done":
            self._write(status, error, result)
        else:
            with suppress(OSError):
                self._write(status, error, result)
        self._watch.end(self._manifest)

    def _write(
        self, status: TrainStatus, error: str | None = None, result: str | None = None
    ) -> None:
        self._manifest = self._manifest.model_copy(
            update={
                "status": status,
                "error": error,
                "result": result,
                "figures": Figures.of(self._writer.steps),
                "wall_s": self._before_s + time.monotonic() - self._since,
            }
        )
        self._writer.write(self._manifest.signed())
