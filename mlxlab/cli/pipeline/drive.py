"""One pipeline from its file to its closing lines."""

from __future__ import annotations

import json
import shlex
import sys
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from mlxlab.api.pipeline import Done, Plan, plan_pipeline, run_pipeline
from mlxlab.cli.drive import Show
from mlxlab.cli.failure import INTERRUPTED, report
from mlxlab.cli.pipeline.lines import LineView, Silent
from mlxlab.cli.stdout import out
from mlxlab.cli.text import plain
from mlxlab.core.errors import UsageError


@dataclass(frozen=True)
class Request:
    """What a user asks for."""

    file: Path
    out: Path | None = None
    seed: int | None = None
    workers: int | None = None
    only: str | None = None


def start(request: Request, show: Show) -> int:
    """Run a pipeline; returns the exit status."""
    view = _view(show)
    plan = _planned(request, view)
    done: Done | None = None
    error: BaseException | None = None
    try:
        # Trainers' libraries print; what is printed is no result.
        with redirect_stdout(sys.stderr):
            done = run_pipeline(plan, request.only)
    except (Exception, KeyboardInterrupt) as caught:
        error = caught
    finally:
        view.close()
    return _conclude(request, plan, done, error, show)


def rehearse(request: Request, show: Show) -> int:
    """Check everything and print what the pipeline would do; returns the exit status."""
    from mlxlab.cli.pipeline.plan import print_plan

    print_plan(_planned(request, Silent()), show.json)
    return 0


def _planned(request: Request, view: Silent) -> Plan:
    return plan_pipeline(
        request.file, out=request.out, seed=request.seed, workers=request.workers, watch=view
    )


def _conclude(
    request: Request, plan: Plan, done: Done | None, error: BaseException | None, show: Show
) -> int:
    """Print the result, or why there is none and how to go on."""
    from mlxlab.cli.pipeline.summary import as_object, print_summary

    if done is not None:
        if show.json:
            print(json.dumps(as_object(plan, done)), file=out())
        else:
            print_summary(plan, done)
        return 0
    go_on = f"Go on with: {_again(request)}"
    if isinstance(error, KeyboardInterrupt):
        _say(f"Interrupted. What was done stays. {go_on}")
        return INTERRUPTED
    assert isinstance(error, Exception)
    status = report(error)
    if not isinstance(error, UsageError):
        _say(f"What was done stays. {go_on}")
    return status


def _again(request: Request) -> str:
    words = ["mlx", "pipeline", "run", str(request.file)]
    options = {"--out": request.out, "--seed": request.seed, "--workers": request.workers,
               "--only": request.only}  # fmt: skip
    for name, value in options.items():
        words += [name, str(value)] if value is not None else []
    return shlex.join(words)


def _view(show: Show) -> Silent:
    if show.quiet or show.json:
        return Silent()
    if show.live:
        from mlxlab.cli.pipeline.live import LiveView

        return LiveView()
    return LineView()


def _say(line: str) -> None:
    print(plain(line), file=sys.stderr, flush=True)
