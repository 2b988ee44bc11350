"""One run from its options to its closing summary."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlxlab.api import (
    Forecast,
    Hooks,
    RunFolder,
    Runner,
    RunOptions,
    forecast,
    plan_run,
    recorded_here,
    resumed_run,
)
from mlxlab.cli.failure import INTERRUPTED, debug, place_of, report
from mlxlab.cli.signals import run_interruptible
from mlxlab.cli.stdout import out
from mlxlab.cli.text import count, plain
from mlxlab.core.errors import PluginError, PolicyError, RecordError, UsageError
from mlxlab.core.watch import set_last_resort

if TYPE_CHECKING:
    from mlxlab.cli.result import Result


@dataclass(frozen=True)
class Show:
    """What a person wants to see."""

    json: bool = False
    quiet: bool = False

    @property
    def live(self) -> bool:
        """Whether stderr is a terminal that can be drawn on."""
        drawable = sys.stderr.isatty() and os.environ.get("TERM", "") not in {"", "dumb", "unknown"}
        return drawable and not self.quiet and not self.json


Made = tuple[Runner, Forecast | None]


def start(options: RunOptions, show: Show) -> int:
    """Make a run and drive it; returns the exit status."""

    def make(hooks: Hooks) -> Made:
        plan = plan_run(options)
        # Before the folder is made: an interrupt here leaves nothing behind.
        policies = plan.components.policies
        found = asyncio.run(forecast(plan.manifest, policies, options.out, hooks.swallowed))
        return plan.start(hooks), found

    return _drive(make, show)


def rehearse(options: RunOptions, show: Show) -> int:
    """Make and check everything and print what would run; returns the exit status."""
    from mlxlab.cli.plan import print_plan

    with _preparing(show):
        plan = plan_run(options)
        found = asyncio.run(forecast(plan.manifest, plan.components.policies, options.out))
    print_plan(plan, found, show.json)
    return 0


def resume(
    folder: RunFolder,
    steps: int | None,
    specs: RunOptions | None,
    show: Show,
    sandbox: str | None = None,
    patience_s: float | None = None,
) -> int:
    """Take up a recorded run and drive it; returns the exit status.

    `specs` are said for a run that somebody else recorded; one's own keeps its components, but
    may go on in another sandbox and with another patience.
    """
    recorded = len(folder.steps())
    if steps is not None and steps < recorded:
        raise UsageError(f"The run has {recorded} steps already.", "--steps can only raise that.")
    manifest = folder.manifest()
    whole = manifest.status == "done" and recorded >= (steps or manifest.budget.steps)
    if whole and recorded_here(manifest):
        return _nothing_left(folder, recorded, show)

    def make(hooks: Hooks) -> Made:
        runner = resumed_run(folder, hooks, steps, specs, sandbox=sandbox, patience_s=patience_s)
        manifest, out = runner.manifest, folder.path.parent
        found = asyncio.run(forecast(manifest, runner.policies, out, hooks.swallowed))
        return runner, found

    return _drive(make, show)


def _nothing_left(folder: RunFolder, steps: int, show: Show) -> int:
    """Print the result of a run that is whole, and how it could go on."""
    result = _printed(folder.path, show, None)
    done = "the step is" if steps == 1 else f"all {steps} steps are"
    hint = f"mlx run --resume {result.name} --steps N makes more."
    print(f"Nothing is left to do: {done} done. {hint}", file=sys.stderr)
    return 0


def _drive(make: Callable[[Hooks], Made], show: Show) -> int:
    hooks = Hooks.installed()
    warned = _warn(hooks, set(), "was skipped")
    with _preparing(show):
        runner, found = make(hooks)
    if found is not None and found.steps and not show.quiet:
        print(plain(str(found), lines=True), file=sys.stderr)
    view = _view(runner, show)
    hooks.register(view, "the progress view")
    error: BaseException | None = None
    set_last_resort(_abandoning(runner, view))
    try:
        run_interruptible(runner.run(), view.interrupt, view.close)
    except (Exception, asyncio.CancelledError) as caught:
        error = caught
    finally:
        view.close()
        _warn(hooks, warned, "failed")
    return _conclude(runner, error, show, found)


def _abandoning(runner: Runner, view: Any) -> Callable[[str], None]:
    """What is done about code that neither ends nor can be broken off."""

    def abandon(line: str) -> None:
        view.close()
        error = PluginError(f"{line}.")
        with suppress(Exception):
            runner.abandon(str(error))
        os._exit(report(error))

    return abandon


def _conclude(
    runner: Runner, error: BaseException | None, show: Show, found: Forecast | None
) -> int:
    """Print the result, then why it is not a whole one."""
    try:
        result = _printed(runner.folder, show, found)
    except RecordError as unreadable:
        return report(error if isinstance(error, Exception) else unreadable)
    go_on = f"mlx run --resume {result.name}"
    if isinstance(error, Exception):
        status = report(error)
        if not _final(runner, error):
            print(f"What was recorded stays. Go on with: {go_on}", file=sys.stderr)
        return status
    if error is not None:
        steps = count(runner.manifest.spent.steps, "step")
        print(f"Interrupted after {steps}. Go on with: {go_on}", file=sys.stderr)
        return INTERRUPTED
    return 0


def _printed(folder: Path, show: Show, found: Forecast | None) -> Result:
    """What came of a run, printed; raises RecordError."""
    from mlxlab.cli.result import Result
    from mlxlab.cli.summary import print_summary

    result = Result.of(folder)
    if show.json:
        print(result.as_json(found), file=out())
    else:
        print_summary(result)
    return result


def _final(runner: Runner, error: Exception) -> bool:
    """Whether the run would fail in the same way again: a record gives no other answers."""
    parts = runner.manifest.components
    return isinstance(error, PolicyError) and {
        parts[role].name for role in ("policy", "editor") if role in parts
    } == {"replay"}


def _warn(hooks: Hooks, known: set[str], fate: str) -> set[str]:
    """Name the hook modules that broke since the last look."""
    for name, cause in hooks.broken.items():
        if name not in known:
            told = f"{cause}{place_of(hooks.errors[name])}"
            print(f"mlx: plugin {plain(name)} {fate}: {plain(told)}", file=sys.stderr)
            debug(hooks.errors[name])
    return set(hooks.broken)


def _preparing(show: Show) -> Any:
    """Something to look at while the task's data is made."""
    if not show.live:
        return nullcontext()
    from rich.console import Console

    console = Console(stderr=True)
    spinner = "dots" if console.encoding.startswith("utf") else "line"
    return console.status("Preparing the task and the components", spinner=spinner)


def _view(runner: Runner, show: Show) -> Any:
    if show.quiet:
        from mlxlab.cli.lines import Silent

        return Silent(runner.manifest.patience_s)
    if show.live:
        from mlxlab.cli.view.live import LiveView

        return LiveView(runner)
    from mlxlab.cli.lines import LineView

    return LineView(runner)
