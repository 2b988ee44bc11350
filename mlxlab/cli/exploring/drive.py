"""From the options of `mlx explore` to its closing lines."""

from __future__ import annotations

import shlex
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlxlab.api import RunFolder
from mlxlab.api.exploring import Explored, collect, explore
from mlxlab.cli.table import Column, print_json, print_table
from mlxlab.cli.text import count, duration, money, plain
from mlxlab.core.errors import UsageError

COLUMNS = (
    Column("TASK"),
    Column("IDEAS", right=True),
    Column("KEPT", right=True),
    Column("DISTANCE", right=True),
    Column("CALLS", right=True, spare=1),
    Column("COST", right=True, spare=2),
)


@dataclass(frozen=True)
class Request:
    """The options; `collect` None records no runs, `plain` has nobody asked."""

    tasks: tuple[str, ...]
    policy: str
    scaffold: str
    version: int
    candidates: int
    keep: int
    per_axis: int
    embedder: str | None
    collect: int | None
    plain: bool
    expert: str | None
    sandbox: str
    rewards: tuple[str, ...]
    steps: int
    workers: int | None
    exec_timeout_s: float | None
    seed: int
    out: Path
    json: bool
    quiet: bool


def start(request: Request) -> int:
    """Explore, collect if asked to, and print what came of it; returns the exit status."""
    if request.plain and request.collect is None:
        raise UsageError("--plain is for runs without ideas.", "Say how many: --collect N --plain")
    explored = None if request.plain else _explored(request)
    if explored is not None and not request.json:
        _print(explored)
    began = time.monotonic()
    runs = _collected(request, explored) if request.collect is not None else []
    took = _Took(runs, time.monotonic() - began)
    if request.json:
        print_json(_as_json(request, explored, took))
    elif runs:
        print(took.told())
    if not request.json:
        _advise(request, bool(runs))
    return 0


@dataclass(frozen=True)
class _Took:
    """Recorded runs and how long this session took over them."""

    runs: list[Path]
    wall_s: float

    @property
    def steps(self) -> int:
        return sum(RunFolder(run).manifest().spent.steps for run in self.runs)

    def told(self) -> str:
        rate = 60 * self.steps / self.wall_s if self.wall_s else 0.0
        return (
            f"{count(len(self.runs), 'run')} of {count(self.steps, 'step')} in "
            f"{duration(self.wall_s)}: {rate:.0f} steps a minute"
        )


def _explored(request: Request) -> Explored:
    return explore(
        request.tasks,
        policy=request.policy,
        scaffold=request.scaffold,
        version=request.version,
        candidates=request.candidates,
        keep=request.keep,
        per_axis=request.per_axis,
        seed=request.seed,
        out=request.out,
        embedder=request.embedder,
        tell=_teller(request),
    )


def _collected(request: Request, explored: Explored | None) -> list[Path]:
    return collect(
        request.tasks,
        explored=explored,
        scaffold=request.scaffold,
        policy=request.expert or request.policy,
        sandbox=request.sandbox,
        rewards=request.rewards,
        steps=request.steps,
        trajectories=request.collect or 0,
        seed=request.seed,
        workers=request.workers,
        out=_bench(request),
        exec_timeout_s=request.exec_timeout_s,
        tell=_teller(request),
    )


def _bench(request: Request) -> Path:
    """The folder of the runs: those without ideas lie apart."""
    return request.out / ("plain" if request.plain else "expert")


def _teller(request: Request) -> Any:
    def tell(line: str) -> None:
        if not request.quiet and not request.json:
            print(plain(line), file=sys.stderr, flush=True)

    return tell


def _print(explored: Explored) -> None:
    rows = []
    for ideas in explored.tasks.values():
        both = (ideas.before, ideas.after)
        distance = " -> ".join("none" if each is None else f"{each:.3f}" for each in both)
        numbers = (len(ideas.candidates), len(ideas.kept))
        cost = money(ideas.cost_usd)
        rows.append([ideas.task, *map(str, numbers), distance, str(ideas.calls), cost])
    print_table(COLUMNS, rows)
    print(
        f"Selected as in version {explored.version}; DISTANCE is the mean of all pairs before "
        f"and after, by {explored.embedder}."
    )


def _as_json(request: Request, explored: Explored | None, took: _Took) -> dict[str, Any]:
    found: dict[str, Any] = {"out": str(request.out)}
    if explored is not None:
        told = explored.model_dump(mode="json", by_alias=True, exclude={"tasks"})
        tasks = {
            spec: ideas.model_dump(mode="json", exclude={"candidates", "kept", "task"})
            | {"candidates": len(ideas.candidates), "kept": [idea.text for idea in ideas.kept]}
            for spec, ideas in explored.tasks.items()
        }
        found |= told | {"tasks": tasks}
    runs = [str(run) for run in took.runs]
    return found | {"runs": runs, "steps": took.steps, "wall_s": round(took.wall_s, 1)}


def _advise(request: Request, ran: bool) -> None:
    """What comes next, on stderr."""
    if request.quiet:
        return
    place = shlex.quote(str(_bench(request) / "runs"))
    if ran:
        print(f"Train on them with: mlx train {place} --trainer sft", file=sys.stderr)
    else:
        print("Record expert runs that try them with: --collect N", file=sys.stderr)
