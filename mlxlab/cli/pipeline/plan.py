"""`mlx pipeline run --dry-run`: the stages, and what each would take."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from mlxlab.api.pipeline import Plan
from mlxlab.api.pipeline.estimating import estimates, machine_of
from mlxlab.cli.stdout import out
from mlxlab.cli.summary import Row, print_rows
from mlxlab.cli.table import Column, print_table
from mlxlab.cli.text import count, plain
from mlxlab.core.trainer import Estimate


def print_plan(plan: Plan, as_json: bool) -> None:
    """Print on stdout what would be done."""
    found = estimates(plan)
    if as_json:
        print(json.dumps(_object(plan, found)), file=out())
        return
    print_rows(list(_rows(plan)))
    print()
    rows = [
        [plain(stage), plain(line.name), plain(line.value), plain(line.basis)]
        for stage, lines in found.items()
        for line in lines
    ]
    print_table([Column("stage"), Column("takes"), Column("about"), Column("basis")], rows)
    print("Nothing was started and nothing written.")


def _rows(plan: Plan) -> Iterator[Row]:
    work = plan.work
    yield "pipeline", f"{work.spec.name}, seed {work.spec.seed}", "bold"
    if work.spec.note:
        yield "note", plain(work.spec.note), "yellow"
    yield "tasks", _some(work.tasks), ""
    yield "held out", _some(work.held_out), ""
    yield "scaffold", work.spec.scaffold, ""
    yield "model", work.spec.model, ""
    yield "reward", work.spec.reward, ""
    machine = machine_of(plan)
    named = f", {machine.gpus} x {machine.gpu_name or 'GPU'}" if machine.gpus else ", no GPU"
    yield "machine", count(machine.cores, "processor") + plain(named), ""
    yield "stages", ", ".join(stage.name for stage in plan.stages), ""
    for number, line in enumerate(plan.lacking):
        yield "" if number else "not here", plain(line), "yellow"
    yield "goes to", str(plan.folder), ""


def _some(tasks: tuple[str, ...]) -> str:
    shown = ", ".join(tasks[:4]) or "none"
    return f"{len(tasks)}: {shown}{', ...' if len(tasks) > 4 else ''}" if tasks else shown


def _object(plan: Plan, found: Mapping[str, Sequence[Estimate]]) -> dict[str, object]:
    return {
        "dry_run": True,
        "pipeline": plan.work.spec.name,
        "pipeline_dir": str(plan.folder),
        "seed": plan.work.spec.seed,
        "tasks": list(plan.work.tasks),
        "held_out": list(plan.work.held_out),
        "lacking": list(plan.lacking),
        "stages": {
            stage.name: [line.model_dump(mode="json") for line in found.get(stage.name, ())]
            for stage in plan.stages
        },
    }
