"""What is printed of a bench: its plan, and a short table at its end."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator

from mlxlab.api.bench import Bench, BenchPlan, State
from mlxlab.cli.stdout import out
from mlxlab.cli.summary import Row, print_rows
from mlxlab.cli.table import Column, print_table
from mlxlab.cli.text import count, duration, money, percent, plain


def print_bench(bench: Bench, state: State) -> None:
    """A line for each arm, then one for the bench."""
    columns = [
        Column("arm"),
        Column("runs", right=True),
        Column("done", right=True),
        Column("failed", right=True, spare=2),
        Column("gap closed", right=True),
        Column("cost", right=True, spare=1),
        Column("time", right=True, spare=3),
    ]
    rows = [
        [
            plain(arm.arm),
            str(arm.cells),
            str(arm.done),
            str(arm.failed),
            "-" if arm.gap_closed is None else percent(arm.gap_closed),
            money(arm.cost_usd),
            duration(arm.wall_s),
        ]
        for arm in bench.arms()
    ]
    print_table(columns, rows)
    others = [f"{number} {word}" for word, number in sorted(state.counts.items()) if word != "done"]
    told = f", {', '.join(others)}" if others else ""
    print(
        f"{state.counts['done']} of {count(len(state.cells), 'run')} done{told} "
        f"in {duration(state.elapsed_s)}"
    )


def print_plan(plan: BenchPlan, as_json: bool) -> None:
    """Print on stdout what would run."""
    if as_json:
        print(json.dumps(_object(plan)), file=out())
    else:
        print_rows(list(_rows(plan)))


def _rows(plan: BenchPlan) -> Iterator[Row]:
    m = plan.manifest
    done = len(m.cells) - len(plan.steps)
    for title, part in (("tasks", "task"), ("arms", "arm"), ("seeds", "seed")):
        named = dict.fromkeys(str(getattr(cell, part)) for cell in m.cells)
        yield title, ", ".join(named), ""
    yield "runs", f"{len(m.cells)}" + (f", {done} have ended" if done else ""), "bold"
    steps = Counter(plan.steps.values()).most_common()
    told = ", ".join(f"{number} x {count(of, 'step')}" for of, number in steps)
    yield "to do", f"{told}: {count(sum(plan.steps.values()), 'step')}" if told else "nothing", ""
    if limits := [f"{name} {value:g}" for name, value in m.limits if value is not None]:
        yield "together", ", ".join(limits), ""
    yield "at a time", f"{m.workers}, each on {count(m.cores, 'processor')}", ""
    yield "goes to", str(plan.folder), ""
    yield "", "Nothing was started and nothing written.", "dim"


def _object(plan: BenchPlan) -> dict[str, object]:
    m = plan.manifest
    cells = [
        {"id": cell.id, **cell.model_dump(mode="json"), "steps": plan.steps.get(cell.id)}
        for cell in m.cells
    ]
    return {
        "dry_run": True,
        "bench": m.bench,
        "bench_dir": str(plan.folder),
        "workers": m.workers,
        "cores": m.cores,
        "limits": m.limits.model_dump(mode="json"),
        "cells": cells,
    }
