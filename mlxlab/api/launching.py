"""Starting and taking up runs from Python."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Unpack

from mlxlab.api.arguments import (
    Arguments,
    Parts,
    Rewards,
    objects,
    options,
    refuse_amount,
    refuse_unknown,
    specs,
)
from mlxlab.api.loops import finish
from mlxlab.api.progress import Progress, say_forecast, watcher
from mlxlab.api.results import Run
from mlxlab.core.components import Specs
from mlxlab.core.errors import MlxError, UsageError
from mlxlab.core.forecast import forecast
from mlxlab.core.hooks import Hooks
from mlxlab.core.launch import plan_run, resumed_run
from mlxlab.core.manifest import RunManifest
from mlxlab.core.origin import recorded_here
from mlxlab.core.policy import Policy
from mlxlab.core.records import Feedback
from mlxlab.core.runner import Runner
from mlxlab.core.runs import RunFolder, find_run
from mlxlab.core.sandbox import Sandbox
from mlxlab.core.scaffold import Scaffold
from mlxlab.core.task import Task


def run(
    task: str | Path | Task = "flights",
    scaffold: str | Scaffold = "aide",
    policy: str | Policy = "catalog",
    *,
    sandbox: str | Sandbox | Callable[[], Sandbox] = "local",
    rewards: Rewards = ("ml-agent",),
    editor: str | Policy | None = None,
    steps: int | None = None,
    time: float | None = None,
    exec_timeout: float | None = None,
    max_cost: float | None = None,
    max_tokens: int | None = None,
    patience: float | None = None,
    max_state: int | None = None,
    seed: int = 0,
    workers: int | None = None,
    gpus: str | Sequence[int] = (),
    feedback: Feedback | None = None,
    cache: bool | str | Path | None = None,
    ideas: Sequence[str] = (),
    out: str | Path = "runs",
    progress: Progress = False,
) -> Run:
    """Run an agent on a task and return what was recorded; works in a notebook too.

    Every component is a spec as on the command line (`"litellm:openai/gpt-5"`), or an object that
    does what its kind has to do. Ctrl-C leaves a run that `mlxlab.resume` takes up again.

    Args:
        task: a task's name, a folder, or an object; so on for the other components.
        scaffold: how the agent searches.
        policy: who writes the code.
        sandbox: where the code runs; with several workers a class or a function instead of an
            object, since each needs its own.
        rewards: what judges each step: one, a list, or a dictionary of named objects.
        editor: who carries out edits that a scaffold delegates; None: the policy.
        steps: steps in all; None takes the scaffold's or the task's own number.
        time: seconds that the run may take.
        exec_timeout: seconds that one execution may take; None takes the task's own.
        max_cost: US dollars that the run may spend on models.
        max_tokens: tokens that it may spend on them, of prompts and answers together.
        patience: seconds that a provider may fail before the run stops; None is half an hour.
        max_state: bytes of the largest workspace that is kept after a step; None is 1 GiB.
        seed: of every choice.
        workers: steps at one time; None is 1, or as many as a replayed run had.
        gpus: the GPUs that the workers share: "0-3" or their numbers.
        feedback: the score that the agent is told; None is "public" where the task has it.
        cache: reuse the answers to identical requests of the runs in `out` (True), of one run or
            of another folder of runs.
        ideas: what the agent is told to try first.
        out: the folder of runs.
        progress: a function of each recorded Step, or True for lines on stderr.

    Raises:
        UsageError: what was asked cannot be; nothing was written.
        MlxError: a component failed; what was recorded stays, and can be resumed.
    """
    return finish(
        arun(
            task=task, scaffold=scaffold, policy=policy, sandbox=sandbox, rewards=rewards,
            editor=editor, steps=steps, time=time, exec_timeout=exec_timeout, max_cost=max_cost,
            max_tokens=max_tokens, patience=patience, max_state=max_state, seed=seed,
            workers=workers, gpus=gpus, feedback=feedback, cache=cache, ideas=ideas, out=out,
            progress=progress,
        )
    )  # fmt: skip


async def arun(*, progress: Progress = False, **arguments: Unpack[Arguments]) -> Run:
    """As `run`, in the running loop: `await mlxlab.arun(task="flights")`."""
    chosen, registry = options(arguments)
    plan = plan_run(chosen, registry)
    if progress is True:
        say_forecast(await forecast(plan.manifest, plan.components.policies, chosen.out))
    return await _driven(plan.start, progress, objects(arguments))


def resume(
    run: str | Path | Run,
    steps: int | None = None,
    *,
    patience: float | None = None,
    out: str | Path = "runs",
    progress: Progress = False,
    **parts: Unpack[Parts],
) -> Run:
    """Take up a recorded run where it ended, with `steps` in all if given.

    Args:
        run: a run, its folder, its name below `out`, or "latest".
        steps: how many steps the run shall have in all.
        patience: seconds that a provider may fail, if not as many as before.
        out: the folder of runs.
        progress: as for `run`.
        parts: the objects that the run was started with, since no record can make them again;
            another sandbox to go on in; and all components of a run that somebody else recorded,
            which is not trusted.

    Raises:
        UsageError: a component is missing or another one than was recorded.
        RecordError: the run cannot be read, is in use, or the task's data has changed.
    """
    refuse_unknown(parts, Parts)
    found = run if isinstance(run, Run) else load(run, out)
    return finish(_resumed(found.folder, steps, patience, {**found.given, **parts}, progress))


def load(run: str | Path, out: str | Path = "runs") -> Run:
    """Open a recorded run by its folder, its name below `out`, or "latest"."""
    return Run(find_run(str(run), Path(out)).path)


async def _resumed(
    folder: Path,
    steps: int | None,
    patience: float | None,
    parts: Mapping[str, Any],
    progress: Progress,
) -> Run:
    recorded = RunFolder(folder)
    manifest = recorded.manifest()
    if steps is not None and not isinstance(steps, int):
        raise UsageError(f"steps={steps!r} is no whole number.")
    refuse_amount("patience", patience)
    if steps is not None and steps < len(recorded.steps()):
        raise UsageError(
            f"The steps recorded are {len(recorded.steps())} already.", "steps can only raise that."
        )
    found, registry = specs(parts, manifest.workers)
    own = recorded_here(manifest)
    sandbox = found.pop("sandbox", None) if own else None
    if own:
        _refuse_others(found, Specs.of(manifest))
    anew = Specs(**found) if found and not own else None

    def make(hooks: Hooks) -> Runner:
        return resumed_run(recorded, hooks, steps, anew, registry, sandbox, patience)

    return await _driven(make, progress, objects(parts))


def _refuse_others(given: Mapping[str, Any], recorded: Specs) -> None:
    for name, spec in given.items():
        if spec != (was := getattr(recorded, name)):
            raise UsageError(
                f"A resumed run keeps its {name}: it was {was!r}, not {spec!r}.",
                "Start a new run for anything else.",
            )


async def _driven(
    make: Callable[[Hooks], Runner],
    progress: Progress,
    given: Mapping[str, Any],
) -> Run:
    """Drive a run to its end; a failure says how to go on."""
    hooks = Hooks.installed()
    if (view := watcher(progress)) is not None:
        hooks.register(view, "progress")
    runner = make(hooks)
    try:
        await runner.run()
    except (MlxError, asyncio.CancelledError, KeyboardInterrupt) as error:
        error.add_note(_go_on(runner.manifest, runner.folder))
        raise
    finally:
        for name, cause in hooks.broken.items():
            warnings.warn(f"{name} failed: {cause}", RuntimeWarning, stacklevel=2)
    return Run(runner.folder, given)


def _go_on(manifest: RunManifest, folder: Path) -> str:
    steps = manifest.spent.steps
    return f"What was recorded stays (steps: {steps}): mlxlab.resume({str(folder)!r}) goes on."
