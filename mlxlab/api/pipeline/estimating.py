"""What a pipeline would take: its stages' sizes, and what its trainers say of themselves."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mlxlab.api.pipeline.costing import evaluation_calls, idea_calls, paid
from mlxlab.api.pipeline.gathering import stage_name, tasks_of
from mlxlab.api.pipeline.planning import Plan
from mlxlab.api.pipeline.spec import CollectTable, RLTable, TrainTable
from mlxlab.api.pipeline.work import Stage, Work
from mlxlab.api.training.planning import estimated
from mlxlab.core.cores import processors
from mlxlab.core.errors import MlxError
from mlxlab.core.trainer import Estimate, Machine, PolicyRef, TrainJob
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
        table, tasks = spec.explore, len(stage.options["tasks"])
        asked = table.candidates * tasks
        yield Estimate(name="ideas", value=f"{asked}", basis=f"asked of {table.policy}")
        yield from paid(work.registry, table.policy, idea_calls(table, tasks), "ideas")
    for collected in spec.collect:
        if stage.name == stage_name(collected):
            yield from _collecting(work, collected)
    for each in (*spec.sft, *spec.rl):
        if stage.name == each.name:
            yield from _training(plan, each, base)
            if spec.editor and isinstance(each, RLTable):
                which = "one call for each sampled action that delegates an edit"
                yield from paid(work.registry, spec.editor, None, which)
    if stage.kind == "evaluate":
        yield from _measuring(work)


def _collecting(work: Work, table: CollectTable) -> Iterator[Estimate]:
    tasks = len(tasks_of(work, table))
    steps = tasks * table.trajectories * table.steps
    basis = f"{tasks} tasks x {table.trajectories} runs x {table.steps} steps"
    yield Estimate(name="steps at most", value=f"{steps}", basis=basis)
    yield from paid(work.registry, table.policy, steps, "one a step")
    if work.spec.editor:
        yield from paid(work.registry, work.spec.editor, steps, "one a step at most")


def _training(plan: Plan, table: TrainTable, base: PolicyRef) -> Iterator[Estimate]:
    made = plan.work.registry.create("trainer", table.trainer)
    yield Estimate(name="trainer", value=table.trainer)
    if table.launch:
        yield Estimate(name="launched by", value=table.launch)
    job = TrainJob(
        corpus=Corpus(()), base=base, out=plan.folder / table.name, seed=plan.work.spec.seed
    )
    try:
        found = estimated(made, job, machine_of(plan))
    except MlxError as error:
        yield Estimate(name="-", value="unknown", basis=str(error))
        return
    if found is None:
        yield Estimate(name="-", value="the trainer states nothing")
    else:
        yield from found


def _measuring(work: Work) -> Iterator[Estimate]:
    table = work.spec.evaluate
    assert table is not None
    measured = len(work.spec.sft) + len(work.spec.rl) + table.base + len(table.policies)
    one, shown = evaluation_calls(work, swap=True), evaluation_calls(work, swap=False)
    actions = measured * one + len(table.shown) * shown
    swapped = " + swapped states x samples" if table.swap else ""
    yield Estimate(
        name="actions",
        value=f"{actions}",
        basis=f"{measured} policies x (states x samples + tasks x seeds x steps{swapped}) "
        f"+ {len(table.shown)} lines, cached or run",
    )
    for policy in table.policies.values():
        yield from paid(work.registry, policy, one, "one an action")
    for policy in table.shown.values():
        yield from paid(work.registry, policy, shown, "one an action")
    if work.spec.editor:
        yield from paid(work.registry, work.spec.editor, actions, "one an action at most")


@contextmanager
def _model(work: Work) -> Iterator[PolicyRef]:
    """The model that training begins with; where it is not on this disk, its stated facts."""
    if not work.spec.facts or Path(work.spec.model.removeprefix("local:")).exists():
        yield PolicyRef(spec=work.spec.model)
        return
    with tempfile.TemporaryDirectory(prefix="mlxlab-facts-") as folder:
        (Path(folder) / "config.json").write_text(json.dumps(work.spec.facts))
        yield PolicyRef(spec=f"local:{folder}")
