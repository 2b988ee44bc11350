"""One training from its options to its closing summary."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, redirect_stdout, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from mlxlab.api.training import (
    TrainFolder,
    Training,
    TrainOptions,
    TrainPlan,
    abandoned,
    found,
    options_of,
    plan_training,
    run_plan,
)
from mlxlab.api.training.options import TINY, run_folders
from mlxlab.api.training.planning import placed, unfinished
from mlxlab.api.training.processes import rank, world
from mlxlab.cli.drive import Show
from mlxlab.cli.failure import INTERRUPTED, debug, place_of, report
from mlxlab.cli.stdout import out
from mlxlab.cli.text import count, plain
from mlxlab.cli.train.lines import LineView, Silent
from mlxlab.core.boundary import foreign, whose
from mlxlab.core.clock import now
from mlxlab.core.errors import PluginError, RecordError, UsageError
from mlxlab.core.hooks import Hooks
from mlxlab.core.runs import list_runs
from mlxlab.core.spec import Spec
from mlxlab.core.trainer import Machine
from mlxlab.core.watch import set_last_resort

RUNS = Path("runs")
OUT = Path("trained")
"""Where trainings go that nobody says a place for."""
_EXAMPLE = (
    "mlx run --task generated:rings/1 --scaffold 'recipe?explain=false' --policy climb --steps 10"
)
_LONG = 2000
"""Characters of a prompt above which the tiny model's seconds go into reading."""
_LOOKED_AT = 10
_DONE = "Nothing is left to do: this training is done. Another one goes elsewhere, with --out."


@dataclass(frozen=True)
class Request:
    """What a user asks for: the options that were said, and those that need a look around."""

    given: Mapping[str, Any]
    runs: tuple[Path, ...]
    steps: int | None = None
    out: Path | None = None
    trust: bool = False


def start(request: Request, show: Show) -> int:
    """Begin a training, or take up the unfinished one that is the same; returns the status."""
    show = _of_process(show)
    if world() > 1 and request.out is None:
        raise UsageError(
            f"{world()} processes train together, and have to know where.", "Name it: --out DIR"
        )
    with _preparing(show):
        plan = _planned(request)
        before = found(plan)
    if before is not None and before.status == "done":
        return _nothing_left(plan, show)
    if not show.quiet:
        _introduce(request, plan)
        if before is not None:
            _say(f"{plan.folder} holds this training, unfinished: it goes on there.")
    return _drive(plan, show)


def resume(folder: Path, workers: int | None, show: Show) -> int:
    """Take up a recorded training; returns the exit status."""
    show = _of_process(show)
    with _preparing(show):
        options = options_of(folder)
        plan = plan_training(replace(options, workers=workers or options.workers))
        before = found(plan)
    if before is not None and before.status == "done":
        return _nothing_left(plan, show)
    return _drive(plan, show)


def rehearse(request: Request, machine: Machine, show: Show) -> int:
    """Check everything and print what the training would take; returns the exit status."""
    from mlxlab.cli.train.estimates import print_estimates

    with _preparing(show):
        plan = _planned(request)
    print_estimates(plan, machine, show.json)
    return 0


def _planned(request: Request) -> TrainPlan:
    given = dict(request.given)
    if "tasks" in given:
        given["tasks"] = tuple(given["tasks"])
    runs = request.runs or (RUNS,)
    if not request.runs and not list_runs(RUNS):
        raise UsageError("There are no runs in ./runs to learn from.", f"Make some: {_EXAMPLE}")
    options = TrainOptions(runs=runs, out=request.out or OUT, trust=request.trust, **given)
    if request.steps is not None:
        options = replace(options, trainer=options.with_steps(request.steps))
    plan = plan_training(options)
    if request.out is not None:
        return plan
    return placed(plan, unfinished(plan, OUT) or OUT / _name(plan))


def _name(plan: TrainPlan) -> str:
    """A name that sorts by time and says what is trained."""
    trainer = Spec.parse(plan.options.trainer).name
    name = f"{now():%Y%m%d-%H%M%S}-{trainer}"
    taken = sum(1 for _ in OUT.glob(f"{name}*"))
    return f"{name}-{taken + 1}" if taken else name


def _introduce(request: Request, plan: TrainPlan) -> None:
    """Say what was chosen where nothing was said."""
    if not request.runs:
        number = count(len(run_folders((RUNS,))), "run")
        _say(f"No runs were named: the {number} in ./runs are taken.")
    if plan.options.model is None:
        which = f"it is {TINY}, a small Qwen2 that is made from nothing"
        trainer = whose(plan.parts.trainer.ref)
        if foreign(trainer):  # it may have none
            which = f"where {trainer} takes one, {which}"
        _say(f"No model was named: {which}.")
    if plan.warm_up is not None:
        trainer = Spec.parse(plan.options.trainer).name
        _say(f"It cannot answer yet: sft on the recorded steps comes first, then {trainer}.")
        _say_if_long(plan)


def _say_if_long(plan: TrainPlan) -> None:
    """Prompts that explain everything are for models that can read."""
    lengths = []
    for example in plan.corpus.examples[:: max(1, len(plan.corpus.examples) // _LOOKED_AT)]:
        with suppress(RecordError):  # what is gone is counted by the trainer
            lengths.append(sum(len(message.content) for message in example.messages()))
    if lengths and (mean := sum(lengths) // len(lengths)) > _LONG:
        _say(
            f"The prompts are long for so small a model, about {mean} characters, and make it "
            "slow: --scaffold 'recipe?explain=false' records short ones."
        )


def _nothing_left(plan: TrainPlan, show: Show) -> int:
    """Print the result of a training that is done."""
    status = _conclude(plan, None, show)
    if rank() == 0:
        _say(_DONE)
    return status


def _drive(plan: TrainPlan, show: Show) -> int:
    hooks = Hooks.installed()
    _tell_broken(hooks, set(), "was skipped")
    known = set(hooks.broken)
    view = _view(plan, show)
    error: BaseException | None = None
    set_last_resort(partial(_abandon, plan, view))
    try:
        # A trainer's libraries print; what is printed is no result.
        with redirect_stdout(sys.stderr):
            run_plan(plan, view, hooks)
    except (Exception, KeyboardInterrupt) as caught:
        error = caught
    finally:
        view.close()
        _tell_broken(hooks, known, "failed")
    return _conclude(plan, error, show)


def _abandon(plan: TrainPlan, view: Silent, line: str) -> None:
    """What is done about code that neither ends nor can be broken off."""
    view.close()
    error = PluginError(f"{line}.")
    if rank() == 0:
        with suppress(Exception):
            abandoned(plan, str(error))
    os._exit(_conclude(plan, error, Show(quiet=True)))


def _of_process(show: Show) -> Show:
    """What this process shows: of several that train together only the first one speaks."""
    return show if rank() == 0 else Show(quiet=True)


def _conclude(plan: TrainPlan, error: BaseException | None, show: Show) -> int:
    """Print the result, or why there is none and how to go on."""
    from mlxlab.cli.train.summary import print_summary

    if rank() > 0:
        return 0 if error is None else report(error)
    training = Training(plan.folder)
    if show.json and (plan.folder / "train.json").is_file():
        print(json.dumps(training.as_dict()), file=out())
    go_on = f"mlx train --resume {shlex.quote(str(plan.folder))}"
    if isinstance(error, KeyboardInterrupt):
        _say(f"Interrupted. What was trained stays. Go on with: {go_on}")
        return INTERRUPTED
    if isinstance(error, Exception):
        status = report(error)
        if TrainFolder(plan.folder).kept and not isinstance(error, UsageError):
            _say(f"What was trained stays. Go on with: {go_on}")
        return status
    if not show.json:
        print_summary(training)
    return 0


def _view(plan: TrainPlan, show: Show) -> Silent:
    if show.quiet:
        return Silent()
    if show.live:
        from mlxlab.cli.train.live import LiveView

        return LiveView(plan)
    return LineView(plan)


@contextmanager
def _preparing(show: Show) -> Iterator[None]:
    """Something to look at while runs are read."""
    if not show.live:
        with nullcontext():
            yield
        return
    from rich.console import Console

    console = Console(stderr=True)
    spinner = "dots" if console.encoding.startswith("utf") else "line"
    with console.status("Reading the runs", spinner=spinner):
        yield


def _tell_broken(hooks: Hooks, known: set[str], fate: str) -> None:
    for name, cause in hooks.broken.items():
        if name not in known:
            _say(f"mlx: plugin {name} {fate}: {cause}{place_of(hooks.errors[name])}")
            debug(hooks.errors[name])


def _say(line: str) -> None:
    print(plain(line), file=sys.stderr, flush=True)
