"""`mlx train --dry-run`: what a training would take."""

from __future__ import annotations

import json
from collections.abc import Iterator

from mlxlab.api.training import TrainPlan
from mlxlab.cli.stdout import out
from mlxlab.cli.summary import Row, print_rows
from mlxlab.cli.table import Column, print_table
from mlxlab.cli.text import count, plain
from mlxlab.core.trainer import Estimate, Machine

_PIPED = 100
"""Columns of the table in a file: what an estimate is based on takes a sentence."""


def print_estimates(plan: TrainPlan, machine: Machine, as_json: bool) -> None:
    """Print on stdout what would be trained, and what that takes."""
    stages = [(stage, stage.estimates(machine)) for stage in _stages(plan)]
    if as_json:
        print(json.dumps(_object(plan, machine, stages)), file=out())
        return
    print_rows([*_rows(plan, machine)])
    rows = [
        [_name(stage), estimate.name, estimate.value, estimate.basis]
        for stage, estimates in stages
        for estimate in _stated(estimates)
    ]
    print()
    columns = [Column("stage"), Column("takes"), Column("about"), Column("basis")]
    print_table(columns, rows, piped=_PIPED)
    print("Nothing was started and nothing written.")


def _stages(plan: TrainPlan) -> list[TrainPlan]:
    return [plan] if plan.warm_up is None else [plan.warm_up, plan]


def _name(stage: TrainPlan) -> str:
    return plain(stage.manifest.trainer.name)


def _stated(estimates: list[Estimate] | None) -> list[Estimate]:
    return [Estimate(name="-", value="the trainer states none")] if estimates is None else estimates


def _rows(plan: TrainPlan, machine: Machine) -> Iterator[Row]:
    m = plan.manifest
    for number, stage in enumerate(_stages(plan)):
        yield "" if number else "trainer", plain(stage.manifest.trainer.spec), "bold"
    yield "model", plain(m.base), ""
    tasks = count(len(m.corpus.tasks), "task")
    source = f"{count(m.corpus.examples, 'step')} of {count(len(m.runs), 'run')} on {tasks}"
    yield "learns from", source, ""
    for number, line in enumerate(m.corpus.skipped):
        yield "" if number else "leaves out", line, "yellow"
    if m.reward is not None:
        yield "reward", plain(m.reward.spec), ""
    if m.sandbox is not None:
        yield "sandbox", plain(m.sandbox.spec), ""
    yield "seed", str(m.seed), ""
    yield "machine", _machine(machine), ""
    yield "goes to", str(plan.folder), ""


def _machine(machine: Machine) -> str:
    cores = count(machine.cores, "processor")
    if not machine.gpus:
        return f"{cores}, no GPU"
    memory = f" of {machine.gpu_memory_gib:.0f} GiB" if machine.gpu_memory_gib else ""
    name = f" {machine.gpu_name}" if machine.gpu_name else ""
    price = f", ${machine.usd_per_hour:g} an hour" if machine.usd_per_hour else ""
    return plain(f"{machine.gpus} x{name or ' GPU'}{memory}, {cores}{price}")


def _object(
    plan: TrainPlan, machine: Machine, stages: list[tuple[TrainPlan, list[Estimate] | None]]
) -> dict[str, object]:
    m = plan.manifest
    return {
        "dry_run": True,
        "train_dir": str(plan.folder),
        "trainer": m.trainer.spec,
        "base": m.base,
        "runs": [run.run_id for run in m.runs],
        "corpus": m.corpus.model_dump(mode="json"),
        "reward": m.reward.spec if m.reward else None,
        "sandbox": m.sandbox.spec if m.sandbox else None,
        "seed": m.seed,
        "machine": machine.model_dump(mode="json"),
        "estimates": [
            {"stage": stage.manifest.trainer.name, **estimate.model_dump(mode="json")}
            for stage, estimates in stages
            for estimate in estimates or ()
        ],
    }
