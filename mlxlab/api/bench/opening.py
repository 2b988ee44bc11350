"""From what a user asks for to a bench that can run: new, the same again, or taken up."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from mlxlab.api.bench.cells import Cell, cells_of
from mlxlab.api.bench.checking import Tell, check
from mlxlab.api.bench.folder import BenchFolder, written
from mlxlab.api.bench.grid import Grid, Limits, grid_of, read_grid
from mlxlab.api.bench.record import FINAL, BenchManifest
from mlxlab.api.bench.running import Running
from mlxlab.core.clock import now
from mlxlab.core.cores import processors, shares
from mlxlab.core.errors import UsageError
from mlxlab.core.registry import Registry

OUT = Path("benches")
"""Where benches go that nobody says a place for."""


@dataclass(frozen=True)
class Request:
    """What a user asks for; None is not said.

    Args:
        grid: a grid file, or its tables; None only where a recorded bench is taken up, or where
            the cells themselves are given.
        out: the bench's folder; by default the bench's name below `benches`.
        workers: how many runs at one time.
        limits: what all runs may spend together, in place of what the grid says.
        cells: in place of a grid, where cells differ in more than a grid can say; needs `out`.
    """

    grid: Path | Mapping[str, Any] | None = None
    out: Path | None = None
    workers: int | None = None
    limits: Limits = field(default_factory=Limits)
    cells: tuple[Cell, ...] = ()


@dataclass(frozen=True)
class BenchPlan:
    """A bench that can run.

    Args:
        steps: of each cell that has not ended, by its id.
    """

    folder: Path
    manifest: BenchManifest
    steps: dict[str, int]


def plan_bench(request: Request, tell: Tell = str) -> BenchPlan:
    """Make and check everything that the bench needs, and write nothing.

    Raises:
        UsageError: the grid is wrong, a component cannot be used, or the folder holds another
            bench.
        RecordError: the recorded bench cannot be read.
    """
    registry = Registry.installed()
    grid = _grid(request.grid) if request.grid is not None else None
    place = request.out or (OUT / (grid.name or "bench") if grid is not None else None)
    if place is None:
        raise UsageError("There is no grid.", "Write: mlx bench GRID.toml, or --resume DIR")
    folder = BenchFolder(place)
    given = grid is not None or bool(request.cells)
    before = folder.manifest() if folder.begun or not given else None
    cells = cells_of(grid, registry) if grid is not None else request.cells
    manifest = _manifest(grid, cells, before, folder)
    ended = {e.cell: e.event in FINAL for e in folder.events()}
    left = [cell for cell in manifest.cells if not ended.get(cell.id)]
    steps = check(left, registry, tell)
    return BenchPlan(place, _equipped(manifest, request, len(left)), steps)


@contextmanager
def opened(plan: BenchPlan) -> Iterator[Running]:
    """Make the bench's folder, or take it up.

    Raises:
        RecordError: another process runs it.
        UsageError: another process has made another bench there meanwhile.
    """
    with written(plan.folder) as writer:
        if writer.begun:  # perhaps by another process, since this one planned
            _refuse_another(writer.manifest(), plan.manifest.cells, writer)
        writer.write(plan.manifest.signed())
        yield Running(writer, plan.manifest, plan.steps)


def _grid(said: Path | Mapping[str, Any]) -> Grid:
    return grid_of(said, "The grid") if isinstance(said, Mapping) else read_grid(said)


def _manifest(
    grid: Grid | None, cells: tuple[Cell, ...], before: BenchManifest | None, folder: BenchFolder
) -> BenchManifest:
    """The bench as it is going to be recorded; a recorded one may only gain cells."""
    if not cells:
        assert before is not None
        if not before.own:
            raise UsageError(
                f"{folder.path} was made elsewhere; its components could send your keys to a "
                "stranger.",
                f"Give the grid itself: mlx bench GRID.toml --out {folder.path}",
            )
        return before
    if before is not None:
        _refuse_another(before, cells, folder)
    name = grid.name if grid is not None else folder.path.name
    return BenchManifest(
        bench=before.bench if before is not None else name or "bench",
        created_at=before.created_at if before is not None else now(),
        mlxlab=version("mlxlab"),
        python=platform.python_version(),
        workers=1,
        cores=1,
        grid=grid.model_dump(mode="json", exclude_defaults=True) if grid is not None else {},
        limits=grid.budget if grid is not None else Limits(),
        cells=cells,
    )


def _refuse_another(before: BenchManifest, cells: tuple[Cell, ...], folder: BenchFolder) -> None:
    wanted = {cell.id for cell in cells}
    lost = [cell for cell in before.cells if cell.id not in wanted]
    if lost:
        raise UsageError(
            f"{folder.path} holds another bench: the cell '{lost[0].title}' and "
            f"{len(lost) - 1} more are not in this grid, or not as they were.",
            "Name another folder with --out; cells may be added to a bench, none changed.",
        )


def _equipped(manifest: BenchManifest, request: Request, left: int) -> BenchManifest:
    """With this session's workers, and its limits where they are said."""
    cpus = processors()
    workers = max(1, min(request.workers or len(cpus), left))
    said = request.limits.model_dump(exclude_none=True)
    return manifest.model_copy(
        update={
            "workers": workers,
            "cores": min(len(share) for share in shares(workers, cpus)),
            "limits": manifest.limits.model_copy(update=said),
        }
    )
