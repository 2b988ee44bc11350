"""Benches of toy runs, and what has to hold of every bench that has ended."""

from __future__ import annotations

import json
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from mlxlab.api import RunFolder, list_runs
from mlxlab.api.bench import Bench, Event
from mlxlab.core.jsonl import read_jsonl
from tests.cli.conftest import Place

GRID = """
tasks = ["toy"]
scaffolds = ["tree"]
policies = {policies}
sandbox = "memory"
seeds = {seeds}
steps = {steps}
"""


def write_grid(
    place: Place,
    policies: Sequence[str] = ("writer",),
    seeds: int = 2,
    steps: int = 3,
    more: str = "",
) -> Path:
    path = place.work / "grid.toml"
    path.write_text(GRID.format(policies=json.dumps(policies), seeds=seeds, steps=steps) + more)
    return place.work / "benches" / "grid"


def events(bench: Path) -> list[Event]:
    return read_jsonl(bench / "cells.jsonl", Event)


def happened(bench: Path, what: str) -> list[Event]:
    return [event for event in events(bench) if event.event == what]


def wait_for(condition: Callable[[], object], process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)


def steps(bench: Path) -> int:
    return sum(path.read_bytes().count(b"\n") for path in bench.glob("runs/*/steps.jsonl"))


def begun(bench: Path) -> int:
    """Runs that have a step."""
    return sum(path.stat().st_size > 0 for path in bench.glob("runs/*/steps.jsonl"))


def whole(folder: Path, steps: int) -> None:
    """Every cell done once, by one run, which has every step and every paid call once."""
    bench = Bench(folder)
    cells = [cell.id for cell in bench.manifest.cells]
    assert Counter(event.cell for event in happened(folder, "done")) == Counter(cells)
    assert set(bench.outcomes.values()) == {"done"}
    runs = list_runs(folder / "runs")
    assert Counter(run.manifest().labels["cell"] for run in runs) == Counter(cells)
    for run in runs:
        _whole_run(run, steps)


def _whole_run(run: RunFolder, steps: int) -> None:
    assert run.manifest().status == "done"
    assert sorted(step.step for step in run.steps()) == list(range(steps))
    answered = Counter((c.step, c.index) for c in run.calls() if c.completion is not None)
    assert set(answered.values()) == {1}
