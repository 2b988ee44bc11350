"""From a pipeline file to its stages, in the order in which they are done."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from mlxlab.api.exploring.embedding import embedder_of
from mlxlab.api.pipeline.folder import PipelineFolder
from mlxlab.api.pipeline.gathering import (
    collect_stage,
    explore_stage,
    stage_name,
    tasks_of,
    woven,
)
from mlxlab.api.pipeline.measuring import evaluate_stage
from mlxlab.api.pipeline.reading import read_pipeline
from mlxlab.api.pipeline.report import report_stage
from mlxlab.api.pipeline.spec import PipelineSpec, TrainTable
from mlxlab.api.pipeline.tasks import expanded
from mlxlab.api.pipeline.training import collected_by, start_of, state_tasks, train_stage
from mlxlab.api.pipeline.watching import Watch
from mlxlab.api.pipeline.work import Stage, Work
from mlxlab.api.training.options import base_of, checked_seed
from mlxlab.core.errors import MlxError, UnknownComponent, UsageError
from mlxlab.core.registry import Registry

OUT = Path("pipelines-out")
"""Where pipelines go by default, each in a folder of its name."""
_ELSEWHERE = ("policy", "task")
"""Components that may need what another machine has: keys, servers, data."""
_UNUSED = 4
"""Stands for `per_axis` in version 1 of the exploration, which keeps nothing by axis: what a file
says of it, or leaves to a default, is no reason to explore again."""


@dataclass(frozen=True)
class Plan:
    """A pipeline; nothing is written.

    Args:
        lacking: what it needs and this machine has not, a line each; then it cannot start.
    """

    work: Work
    stages: tuple[Stage, ...]
    lacking: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        """The pipeline's own."""
        return self.work.folder.path


def plan_pipeline(
    spec: PipelineSpec | Path,
    *,
    out: Path | None = None,
    seed: int | None = None,
    workers: int | None = None,
    watch: Watch | None = None,
    registry: Registry | None = None,
) -> Plan:
    """Read a pipeline and check its names; raises UsageError for what cannot be."""
    found = read_pipeline(spec) if isinstance(spec, Path) else spec
    if seed is not None:
        found = found.model_copy(update={"seed": seed})
    checked_seed(found.seed)
    made = registry or Registry.installed()
    tasks = expanded(found.tasks, "train", made)
    held_out = expanded(found.held_out, "held-out", made)
    if both := sorted(set(tasks) & set(held_out)):
        raise UsageError(f"The task {both[0]} is both trained on and held out.")
    work = Work(
        spec=found,
        tasks=tasks,
        held_out=held_out,
        folder=PipelineFolder(out or OUT / f"{found.name}-{found.seed}"),
        registry=made,
        watch=watch or Watch(),
        workers=workers or found.workers,
    )
    lacking = tuple(dict.fromkeys(_check(work)))
    return Plan(work, tuple(_stages(work)), lacking)


def _check(work: Work) -> Iterator[str]:
    """Make the components that cost nothing; yields what a rehearsal can do without.

    A key or a data folder may be on another machine; a wrong name is wrong everywhere.
    """
    spec, registry = work.spec, work.registry
    named: dict[str, set[str]] = {
        "scaffold": {spec.scaffold},
        "sandbox": {spec.sandbox},
        "reward": {spec.reward, *(each.reward for each in spec.rl if each.reward)},
        "trainer": {each.trainer for each in (*spec.sft, *spec.rl)},
        "policy": set(_policies(spec)),
        "task": {
            *work.tasks,
            *work.held_out,
            *(t for c in spec.collect for t in tasks_of(work, c)),
        },
    }
    for kind, specs in named.items():
        for each in sorted(specs):
            try:
                registry.create(kind, each)
            except UnknownComponent:
                raise
            except MlxError as error:
                if kind not in _ELSEWHERE or each.startswith("generated:"):
                    raise
                yield f"{each}: {error}"
    if spec.explore is not None and not Path(spec.explore.embedder or "").is_dir():
        embedder_of(spec.explore.embedder)
    if spec.evaluate is not None and spec.evaluate.sampling:
        registry.check("policy", f"local:.?{spec.evaluate.sampling}")
    for model in dict.fromkeys(_models(work)):
        try:
            base_of(model)
        except UsageError as error:
            yield str(error)


def _policies(spec: PipelineSpec) -> Iterator[str]:
    yield from (table.policy for table in spec.collect)
    if spec.editor:
        yield spec.editor
    if spec.explore is not None:
        yield spec.explore.policy
    if (table := spec.evaluate) is not None:
        yield from (*table.shown.values(), *table.policies.values())


def _models(work: Work) -> Iterator[str]:
    """The models that trainings begin with."""
    spec = work.spec
    for table in (*spec.sft, *spec.rl):
        if start_of(work, table) is None:
            yield table.model or spec.model


def _stages(work: Work) -> Iterator[Stage]:
    spec = work.spec
    common = {"seed": spec.seed, "scaffold": spec.scaffold, "sandbox": spec.sandbox}
    common |= {"reward": spec.reward, "exec_timeout": spec.exec_timeout}
    if spec.explore is not None:
        tables = [table for table in spec.collect if woven(work, table)]
        tasks = tuple(dict.fromkeys(task for t in tables for task in tasks_of(work, t)))
        options = {**spec.explore.model_dump(), "tasks": tasks, "scaffold": spec.scaffold}
        if spec.explore.version == 1:
            options["per_axis"] = _UNUSED
        run = partial(explore_stage, tasks=tasks)
        yield Stage("explore", "explore", options | {"seed": spec.seed}, (), run)
    for table in spec.collect:
        needs = ("explore",) if woven(work, table) else ()
        options = {**common, **table.model_dump(), "tasks": tasks_of(work, table)}
        run = partial(collect_stage, table=table)
        yield Stage(stage_name(table), "collect", options, needs, run)
    for each in spec.sft:
        yield _training(work, each, common)
    for arm in spec.rl:
        yield _training(work, arm, common)
    yield from _last(work, common)


def _training(work: Work, table: TrainTable, common: dict[str, Any]) -> Stage:
    start = start_of(work, table)
    needs = (*collected_by(work, table), *((start,) if start is not None else ()))
    said = table.model_dump(exclude={"card", "launch"})
    if said["cache"] == "shared":
        del said["cache"]  # the default is no reason to train again
    said |= {"model": table.model or work.spec.model, "tasks": state_tasks(work, table)}
    said["reward"] = table.reward or work.spec.reward
    kind = "sft" if table in work.spec.sft else "rl"
    run = partial(train_stage, table=table)
    return Stage(table.name, kind, {**common, **said}, needs, run)  # type: ignore[arg-type]


def _last(work: Work, common: dict[str, Any]) -> Iterator[Stage]:
    spec = work.spec
    trained = tuple(each.name for each in (*spec.sft, *spec.rl))
    collected = tuple(stage_name(table) for table in spec.collect)
    if spec.evaluate is not None:
        options = {**common, **spec.evaluate.model_dump(), "held_out": work.held_out}
        yield Stage("evaluate", "evaluate", options, (*collected, *trained), evaluate_stage)
    explored = ("explore",) if spec.explore is not None else ()
    needs = (*explored, *collected, *trained, *(("evaluate",) if spec.evaluate is not None else ()))
    yield Stage("report", "report", {"note": spec.note}, needs, report_stage)
