"""The stages before any training: ideas, and trajectories that show how it is done."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from mlxlab.api.pipeline.spec import CollectTable
from mlxlab.api.pipeline.tasks import expanded
from mlxlab.api.pipeline.work import Result, Work


def explore_stage(work: Work, tasks: tuple[str, ...]) -> Result:
    """Ideas for every task that something is collected on."""
    from mlxlab.api.exploring import explore

    spec = work.spec
    assert spec.explore is not None
    table, out = spec.explore, work.folder.of("explore")
    found = explore(
        tasks,
        policy=table.policy,
        scaffold=spec.scaffold,
        version=table.version,
        candidates=table.candidates,
        keep=table.keep,
        per_axis=table.per_axis,
        seed=spec.seed,
        out=out,
        embedder=table.embedder,
        tell=work.watch.note,
    )
    pairs = [
        (ideas.before, ideas.after)
        for ideas in found.tasks.values()
        if ideas.before is not None and ideas.after is not None
    ]
    means = [sum(values) / len(values) for values in zip(*pairs, strict=True)] or [None, None]
    return {
        "folder": work.folder.relative(out),
        "tasks": len(found.tasks),
        "embedder": found.embedder,
        "diversity_before": means[0],
        "diversity_after": means[1],
    }


def collect_stage(work: Work, table: CollectTable) -> Result:
    """Trajectories; the last ones of each task are kept back where that was asked for."""
    from mlxlab.api.exploring import Explored, collect
    from mlxlab.api.exploring.collecting import seed_of

    spec, out = work.spec, work.folder.of(stage_name(table)) / "bench"
    tasks = tasks_of(work, table)
    explored = None
    if woven(work, table):
        explored = Explored.read(work.path(work.result("explore")["folder"]))
    # Trajectories of other tables are other ones, though their tasks and policy were the same.
    first_seed = spec.seed * 10_000 + 100 * spec.collect.index(table)
    folders = collect(
        tasks,
        explored=explored,
        scaffold=spec.scaffold,
        policy=table.policy,
        sandbox=spec.sandbox,
        rewards=(spec.reward,),
        steps=table.steps,
        trajectories=table.trajectories,
        seed=first_seed,
        workers=work.workers,
        out=out,
        exec_timeout_s=spec.exec_timeout,
        tell=work.watch.note,
    )
    first_back = table.trajectories - table.held_back
    kept_back = {
        (task, seed_of(first_seed, task, number))
        for task in tasks
        for number in range(first_back, table.trajectories)
    }
    runs, back = split(folders, kept_back)
    return {
        "tasks": len(tasks),
        "runs": [work.folder.relative(run) for run in runs],
        "held_back": [work.folder.relative(run) for run in back],
    }


def split(
    folders: Sequence[Path], kept_back: Collection[tuple[str, int]]
) -> tuple[list[Path], list[Path]]:
    """Runs to train on, and those whose task and seed say that they are kept back."""
    from mlxlab.core.runs import RunFolder

    runs: list[Path] = []
    back: list[Path] = []
    for folder in folders:
        manifest = RunFolder(folder).manifest()
        held = (manifest.components["task"].spec, manifest.seed) in kept_back
        (back if held else runs).append(folder)
    return runs, back


def stage_name(table: CollectTable) -> str:
    """The name of a collecting stage, and of its folder."""
    return f"collect-{table.name}"


def woven(work: Work, table: CollectTable) -> bool:
    """Whether a table's trajectories are given ideas."""
    return work.spec.explore is not None and table.explored and table.part == "train"


def tasks_of(work: Work, table: CollectTable) -> tuple[str, ...]:
    """The tasks that a table collects on."""
    if table.tasks is not None:
        return expanded(table.tasks, table.part, work.registry)
    return work.tasks if table.part == "train" else work.held_out
