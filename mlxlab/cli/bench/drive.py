"""One bench from its grid to its closing table."""

from __future__ import annotations

import asyncio
import json
import shlex
import sys
from pathlib import Path
from typing import Any

from mlxlab.api.bench import (
    Bench,
    BenchPlan,
    Request,
    Running,
    State,
    Unusable,
    opened,
    plan_bench,
)
from mlxlab.cli.drive import Show
from mlxlab.cli.failure import INTERRUPTED, report
from mlxlab.cli.signals import run_interruptible
from mlxlab.cli.stdout import out
from mlxlab.cli.text import count, plain


def start(request: Request, show: Show) -> int:
    """Make or take up a bench and drive it; returns the exit status."""
    plan = _planned(request, show)
    if plan is None:
        return Unusable.exit_code
    with opened(plan) as running:
        view = _view(running, show)
        running.watch = view.watch
        error: BaseException | None = None
        try:
            run_interruptible(running.run(), view.interrupt, view.close)
        except (Exception, asyncio.CancelledError) as caught:
            error = caught
        finally:
            view.close()
    for name, cause in running.broken.items():
        print(f"mlx: plugin {plain(name)} failed: {plain(cause)}", file=sys.stderr)
    return _conclude(plan.folder, running.state, error, show)


def rehearse(request: Request, show: Show) -> int:
    """Check everything and print what would run; returns the exit status."""
    from mlxlab.cli.bench.summary import print_plan

    plan = _planned(request, show)
    if plan is None:
        return Unusable.exit_code
    print_plan(plan, show.json)
    return 0


def _planned(request: Request, show: Show) -> BenchPlan | None:
    """The plan; None after every problem was told, one a line."""
    preparing = _preparing(show)
    try:
        with preparing:
            return plan_bench(request, preparing.tell)
    except Unusable as error:
        for problem in error.problems:
            print("mlx:", plain(problem), file=sys.stderr)
        print("Nothing was started.", file=sys.stderr)
        return None


def _conclude(folder: Path, state: State, error: BaseException | None, show: Show) -> int:
    """Print the table, then why it is not a whole one, and what comes next."""
    from mlxlab.cli.bench.summary import print_bench

    bench = Bench(folder)
    if show.json:
        print(
            json.dumps(bench.as_dict() | {"spent": state.spent.model_dump(mode="json")}), file=out()
        )
    else:
        print_bench(bench, state)
    place = shlex.quote(str(folder))
    left = len(state.cells) - state.ended
    if isinstance(error, Exception):
        return report(error)
    if error is not None:
        _say(f"Interrupted with {count(left, 'cell')} left. Go on with: mlx bench --resume {place}")
        return INTERRUPTED
    if state.stopping:
        _say(f"The bench has ended early, with {count(left, 'cell')} left: {state.stopping}.")
        _say(f"With a higher limit it goes on: mlx bench --resume {place} {_higher(state)}")
    elif state.counts["outage"]:
        _say(f"Try what failed again with: mlx bench --resume {place}")
    failed = state.counts["failed"] + state.counts["outage"]
    if not show.json:
        _say(f"Report with: mlx compare {place}")
    return int(failed > 0)


def _higher(state: State) -> str:
    """The option that lets more be spent."""
    options = {"time": "--time D", "tokens": "--max-tokens N"}
    return next((o for word, o in options.items() if word in state.stopping), "--max-cost USD")


def _preparing(show: Show) -> Any:
    """What says which task is being prepared."""
    from mlxlab.cli.bench.lines import Preparing, PreparingLive

    return PreparingLive() if show.live else Preparing()


def _view(running: Running, show: Show) -> Any:
    from mlxlab.cli.bench.lines import LineView, Silent

    if show.quiet:
        return Silent()
    if show.live:
        from mlxlab.cli.bench.live import LiveView

        return LiveView(running)
    return LineView(running)


def _say(line: str) -> None:
    print(plain(line), file=sys.stderr)
