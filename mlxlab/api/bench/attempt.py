"""One attempt at a cell, in a worker: a new run, or the recorded one taken up again."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from mlxlab.api.bench.allowance import Allowance
from mlxlab.api.bench.cells import Cell
from mlxlab.api.bench.outcomes import ended_by, failed_by, may_help, told
from mlxlab.api.bench.wire import Message
from mlxlab.core.hooks import Hooks, hookimpl
from mlxlab.core.launch import plan_run, resumed_run
from mlxlab.core.origin import recorded_here
from mlxlab.core.records import Step
from mlxlab.core.registry import Registry
from mlxlab.core.runner import Runner
from mlxlab.core.runs import RunFolder


class Attempt:
    """An order of the bench, carried out.

    Args:
        order: the cell, its labels, the folder of runs, and the run to take up if there is one.
        registry: where components are found.
        say: sends a message to the bench.
    """

    def __init__(self, order: Message, registry: Registry, say: Callable[..., None]) -> None:
        self._cell = Cell.model_validate_json(order["cell"])
        self._order = order
        self._registry = registry
        self._say = say
        self._runner: Runner | None = None
        self._hooks = Hooks.installed()
        self._hooks.register(_Progress(say), "the bench")
        self.allowance = Allowance(
            say, limited=order["limited"], limits_money=order["limits_money"]
        )

    async def carried_out(self) -> None:
        """Run to the end, and say how it ended; who cancels it says so."""
        try:
            runner = self._runner = self._made()
            self._say("begun", run_id=runner.manifest.run_id, steps=runner.manifest.budget.steps)
            self.allowance.live = True
            manifest = await runner.run()
        except Exception as error:
            again = may_help(error)
            self._say("ended", outcome=failed_by(error), error=told(error)[:4000], again=again)
        else:
            self._say(
                "ended", outcome=ended_by(manifest), error=None, again=False,
                broken=self._hooks.broken,
            )  # fmt: skip

    def abandon(self, error: str) -> None:
        """Write that the run failed, where its thread can be given nothing more to do."""
        if self._runner is not None:
            with suppress(Exception):  # the bench is told all the same
                self._runner.abandon(error)

    def _made(self) -> Runner:
        out, run = Path(self._order["out"]), self._order["run"]
        options = self._cell.options(out, self._order["labels"])
        if run is None:
            return plan_run(options, self._registry).start(self._hooks, self.allowance)
        folder = RunFolder(out / run)
        own = recorded_here(folder.manifest())
        return resumed_run(
            folder,
            self._hooks,
            specs=None if own else options,
            registry=self._registry,
            patience_s=self._cell.patience_s,
            purse=self.allowance,
        )


class _Progress:
    """What the bench hears of a run while it lasts."""

    def __init__(self, say: Callable[..., None]) -> None:
        self._say = say

    @hookimpl
    def mlx_step_recorded(self, step: Step) -> None:
        """Say which one, and what came of it."""
        self._say("step", step=step.step, status=step.observation.status)

    @hookimpl
    def mlx_run_paused(self, reason: str, until: datetime) -> None:
        """Say why it waits."""
        self._say("paused", reason=reason, until=until.isoformat())

    @hookimpl
    def mlx_run_resumed(self) -> None:
        """Say that it goes on."""
        self._say("resumed")
