"""Expert trajectories: many short runs with ideas of their own, by the machinery of a bench."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

from mlxlab.api.bench.cells import Cell
from mlxlab.api.bench.folder import BenchFolder
from mlxlab.api.bench.opening import Request, opened, plan_bench
from mlxlab.api.bench.record import Event
from mlxlab.api.bench.state import State
from mlxlab.api.exploring.result import Explored
from mlxlab.api.loops import finish
from mlxlab.core.components import task_spec
from mlxlab.core.errors import UsageError
from mlxlab.core.registry import Registry

ARM = "explored"
PLAIN = "plain"
"""The arms of trajectories with and without ideas."""


def collect(
    tasks: Sequence[str],
    *,
    explored: Explored | None,
    scaffold: str,
    policy: str,
    sandbox: str,
    rewards: tuple[str, ...],
    steps: int,
    trajectories: int,
    seed: int,
    workers: int | None,
    out: Path,
    exec_timeout_s: float | None,
    tell: Callable[[str], None],
) -> list[Path]:
    """Record expert trajectories of several tasks, many at one time; returns their run folders.

    They are the cells of a bench in `out`, one run each below `out/runs`, so that the same call
    takes up what was interrupted or killed, and `mlx compare OUT` reads it. The ideas of each
    trajectory depend on `seed`, the task and the trajectory's number alone.

    Args:
        tasks: specs.
        explored: whose ideas are woven in, 1 to 3 a trajectory; None: plain trajectories.
        scaffold: how the expert works.
        policy: the expert.
        sandbox: where the code runs.
        rewards: what judges each step.
        steps: of each trajectory.
        trajectories: of each task.
        seed: of every choice; each trajectory has a seed of its own, since policies without a
            model would make the same draws on every task.
        workers: runs at one time, each in a process; None: one for each processor.
        out: the folder, of this collection alone.
        exec_timeout_s: seconds of one execution; None: the task's own.
        tell: hears of each trajectory that ends.

    Raises:
        UsageError: a component cannot be used, or the folder holds another collection.
    """
    registry = Registry.installed()
    cells = tuple(
        Cell(
            arm=PLAIN if explored is None else ARM,
            task=task,
            scaffold=scaffold,
            policy=policy,
            seed=seed_of(seed, task, number),
            sandbox=sandbox,
            rewards=rewards,
            steps=steps,
            exec_timeout_s=exec_timeout_s,
            ideas=ideas_of(explored, task, seed, number),
        )
        for number in range(trajectories)
        for task in dict.fromkeys(str(task_spec(name, registry)) for name in tasks)
    )
    if not cells:
        raise UsageError("There is nothing to collect.", "Name a task and a trajectory or more.")
    plan = plan_bench(Request(out=out, workers=workers, cells=cells))
    with opened(plan) as running:
        running.watch = _watch(tell)
        finish(running.run())
    runs = BenchFolder(out).by_cell()
    return [BenchFolder(out).run(runs[cell.id].run_id).path for cell in cells if cell.id in runs]


def seed_of(seed: int, task: str, number: int) -> int:
    """The seed of a task's trajectory, in a collection of `seed`."""
    return Random(f"{seed}:{task}:{number}:run").randrange(10**6)


def ideas_of(
    explored: Explored | None, task: str, seed: int, number: int
) -> tuple[str, ...] | None:
    """The ideas of a task's trajectory; raises UsageError where the task was not explored."""
    if explored is None:
        return None
    found = explored.tasks.get(task)
    if found is None or not found.kept:
        known = ", ".join(explored.tasks) or "none"
        raise UsageError(f"There are no ideas for the task '{task}'.", f"Explored: {known}.")
    return found.drawn(Random(f"{seed}:{task}:{number}"))


def _watch(tell: Callable[[str], None]) -> Callable[[State, Event | None], None]:
    """Tell of each trajectory that ended, and of the rate."""

    def watch(state: State, event: Event | None) -> None:
        if event is None or event.event == "started":
            return
        title = next((cell.title for cell in state.cells if cell.id == event.cell), event.cell)
        problem = f": {event.error}" if event.error else ""
        tell(f"{state.ended} of {len(state.cells)}: {title}: {event.event}{problem}")

    return watch
