"""A pipeline from its plan to its report: begun, taken up, or found to be done."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from mlxlab.api.pipeline.folder import PipelineFolder, held
from mlxlab.api.pipeline.planning import Plan
from mlxlab.api.pipeline.record import PipelineRecord, StageRecord, Status
from mlxlab.api.pipeline.work import Stage, Work
from mlxlab.core.clock import now
from mlxlab.core.errors import RecordError, UsageError

_PACKAGES = ("torch", "transformers", "trl", "peft", "accelerate", "datasets", "vllm",
             "scikit-learn", "numpy", "pandas")  # fmt: skip

_ANEW = ("evaluate", "report")
"""Stages that are made anew where they alone are asked for: an evaluation keeps the figures that it
has, and asks the policies again that had failed."""


@dataclass(frozen=True)
class Done:
    """A pipeline that ended: its folder, and the record of every stage that is done."""

    folder: Path
    stages: Mapping[str, StageRecord]

    @property
    def report(self) -> Path | None:
        """The page of the report."""
        record = self.stages.get("report")
        return self.folder / record.result["page"] if record is not None else None

    @property
    def seconds(self) -> float:
        """Of work, over all sessions."""
        return sum(record.seconds for record in self.stages.values())


def run_pipeline(plan: Plan, only: str | None = None) -> Done:
    """Do every stage that is not done yet, or one alone.

    A stage whose options have changed, or those of a stage before it, is done again. An evaluation
    or a report that is asked for alone is made anew.

    Raises:
        UsageError: there is no stage `only`, or the machine lacks something.
        RecordError: another process runs this pipeline, or a stage before `only` is not done.
        MlxError: a stage failed; what was done stays, and the same call goes on.
    """
    if plan.lacking:
        raise UsageError(plan.lacking[0], "Nothing was started.")
    chosen = [stage for stage in plan.stages if only in (None, stage.name, stage.kind)]
    if not chosen:
        names = ", ".join(stage.name for stage in plan.stages)
        raise UsageError(f"There is no stage '{only}'.", f"Stages: {names}.")
    with held(plan.folder) as folder:
        _introduce(plan, folder)
        plan.work.watch.plan([stage.name for stage in plan.stages])
        keys: dict[str, str] = {}
        found: dict[str, StageRecord] = {}
        for stage in plan.stages:
            keys[stage.name] = stage.key(keys)
            before = folder.stage(stage.name)
            if _kept(stage, before, keys, chosen):
                assert before is not None
                found[stage.name] = before
                plan.work.watch.kept(before)
            elif stage in chosen:
                found[stage.name] = _do(stage, plan.work, keys, before)
            elif any(stage.name in each.needs for each in chosen):
                raise RecordError(
                    f"The stage {stage.name} comes first and is not done.", "Leave out --only."
                )
    return Done(plan.folder, found)


def _kept(
    stage: Stage, before: StageRecord | None, keys: Mapping[str, str], chosen: list[Stage]
) -> bool:
    """Whether a stage was done with these very options; what is asked for alone may be anew."""
    if before is None or before.status != "done" or before.key != keys[stage.name]:
        return False
    return not (stage.kind in _ANEW and chosen == [stage])


def _do(
    stage: Stage, work: Work, keys: Mapping[str, str], before: StageRecord | None
) -> StageRecord:
    """Do one stage, and record how it ended."""
    folder, key = work.folder, keys[stage.name]
    why = ""
    if before is not None and before.key != key:
        why = changed(stage, before, keys)
        folder.clear(stage.name)
        before = None
    work.notes = list(before.notes) if before is not None and before.status != "done" else []
    record = StageRecord(
        stage=stage.name,
        key=key,
        options=dict(stage.options),
        needs={name: keys[name] for name in stage.needs},
        seconds=before.seconds if before is not None else 0.0,
        began_at=before.began_at if before is not None else now(),
    )
    work.watch.begin(stage.name, why)
    folder.write_stage(record)
    since = time.monotonic()

    def ended(status: Status, **update: object) -> StageRecord:
        seconds = record.seconds + time.monotonic() - since
        said = {"status": status, "seconds": seconds, "notes": tuple(work.notes)}
        found = record.model_copy(update={**said, "ended_at": now(), **update})
        folder.write_stage(found)
        work.watch.end(found)
        return found

    try:
        result = stage.run(work)
    except KeyboardInterrupt:
        ended("interrupted")
        raise
    except BaseException as error:
        ended("failed", error=str(error))
        raise
    return ended("done", result=result)


def changed(stage: Stage, before: StageRecord, keys: Mapping[str, str]) -> str:
    """What makes a stage be done again, in words."""
    then, now_ = before.options, _plain(stage.options)
    for name in {**then, **now_}:
        if then.get(name) != now_.get(name):
            return f"{name} is {_short(now_.get(name))}, was {_short(then.get(name))}"
    for name in stage.needs:
        if before.needs.get(name) != keys[name]:
            return f"{name} has changed"
    return "other stages come before it"


def _plain(options: Mapping[str, object]) -> dict[str, object]:
    """Options as they read back from a record."""
    return StageRecord.model_validate_json(
        StageRecord(stage="", key="", options=dict(options), began_at=now()).model_dump_json()
    ).options


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 80 else f"{text[:79]}…"


def _introduce(plan: Plan, folder: PipelineFolder) -> None:
    """Write what runs here."""
    spec, work = plan.work.spec, plan.work
    try:
        began = folder.pipeline().began_at
    except RecordError:
        began = now()
    folder.write(
        PipelineRecord(
            name=spec.name,
            mlxlab=version("mlxlab"),
            python=platform.python_version(),
            packages=dict(_packages()),
            cores=len(os.sched_getaffinity(0)),
            seed=spec.seed,
            spec=spec.model_dump(mode="json"),
            tasks=work.tasks,
            held_out=work.held_out,
            began_at=began,
        )
    )


def _packages() -> list[tuple[str, str]]:
    found = []
    for name in _PACKAGES:
        try:
            found.append((name, version(name)))
        except PackageNotFoundError:
            continue
    return found
