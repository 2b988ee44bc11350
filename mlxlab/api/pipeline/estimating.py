"""What a pipeline would take: its stages' sizes, and what its trainers say of themselves."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mlxlab.api.pipeline.gathering import stage_name, tasks_of
from mlxlab.api.pipeline.planning import Plan
from mlxlab.api.pipeline.spec import TrainTable
from mlxlab.api.pipeline.work import Stage, Work
from mlxlab.core.cores import processors
from mlxlab.core.errors import MlxError
from mlxlab.core.trainer import Estimate, Estimating, Machine, PolicyRef, TrainJob
from mlxlab.core.training.examples import Corpus


def machine_of(plan: Plan) -> Machine:
    """The machine that the file names, or this one."""
    table = plan.work.spec.machine
    if table is None:
        return Machine(cores=len(processors()))
    return Machine.model_validate(table.model_dump())


def estimates(plan: Plan) -> dict[str, list[Estimate]]:
    """By stage, in their order; nothing is written."""
    model = plan.work.spec.model
    with _model(plan.work) as base:
        return {
            stage.name: [
                line.model_copy(update={"basis": line.basis.replace(base.spec, model)})
                for line in _of(plan, stage, base)
            ]
            for stage in plan.stages
        }


def _of(plan: Plan, stage: Stage, base: PolicyRef) -> Iterator[Estimate]:
    work, spec = plan.work, plan.work.spec
    if stage.kind == "explore" and spec.explore is not None:
        asked = spec.explore.candidates * len(stage.options["tasks"])
        yield Estimate(name="ideas", value=f"{asked}", basis=f"asked of {spec.explore.policy}")
    for table in spec.collect:
        if stage.name == stage_name(table):
            tasks = len(tasks_of(work, table))
            steps = tasks * table.trajectories * table.steps
            basis = f"{tasks} tasks x {table.trajectories} runs x {table.steps} steps"
            yield Estimate(name="steps at most", value=f"{steps}", basis=basis)
    for each in (*spec.sft, *spec.rl):
        if stage.name == each.name:
            yield from _training(plan, each, base)
    if stage.kind == "evaluate":
        yield from _measuring(work)


def _training(plan: Plan, table: TrainTable, base: PolicyRef) -> Iterator[Estimate]:
    made = plan.work.registry.create("trainer", table.trainer).instance
    yield Estimate(name="trainer", value=table.trainer)
    if table.launch:
        yield Estimate(name="launched by", value=table.launch)
    if not isinstance(made, Estimating):
        yield Estimate(name="-", value="the trainer states nothing")
        return
    job = TrainJob(
        corpus=Corpus(()), base=base, out=plan.folder / table.name, seed=plan.work.spec.seed
    )
    try:
        yield from made.estimate(job, machine_of(plan))
    except MlxError as error:
        yield Estimate(name="-", value="unknown", basis=str(error))


def _measuring(work: Work) -> Iterator[Estimate]:
    table = work.spec.evaluate
    assert table is not None
    trained = len(work.spec.sft) + len(work.spec.rl) + table.base + len(table.policies)
    tasks = len(work.held_out) + min(table.held_in_tasks, len(work.tasks))
    singles = 2 * table.states * table.samples
    episodes = tasks * table.seeds * table.steps
    yield Estimate(
        name="actions",
        value=f"{trained * (singles + episodes)}",
        basis=f"{trained} policies x (states x samples + tasks x seeds x steps), cached or run",
    )


@contextmanager
def _model(work: Work) -> Iterator[PolicyRef]:
    """The model that training begins with; where it is not on this disk, its stated facts."""
    if not work.spec.facts or Path(work.spec.model.removeprefix("local:")).exists():
        yield PolicyRef(spec=work.spec.model)
        return
    with tempfile.TemporaryDirectory(prefix="mlxlab-facts-") as folder:
        (Path(folder) / "config.json").write_text(json.dumps(work.spec.facts))
        yield PolicyRef(spec=f"local:{folder}")
