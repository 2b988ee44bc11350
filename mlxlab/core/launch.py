"""From a run's options to a Runner: components made and checked first, then the folder."""

from __future__ import annotations

import os
import platform
import shutil
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from mlxlab.core.budget import Budget
from mlxlab.core.calls import Caller
from mlxlab.core.clock import now, run_id
from mlxlab.core.environment import Environment
from mlxlab.core.errors import RecordError, UsageError
from mlxlab.core.hooks import Hooks
from mlxlab.core.inputs import prepared
from mlxlab.core.manifest import Attestation, BudgetLimits, RunManifest
from mlxlab.core.policy import Policy
from mlxlab.core.pool import EnvironmentPool
from mlxlab.core.preview import preview
from mlxlab.core.records import ComponentRef, Feedback, Limits
from mlxlab.core.registry import Component, Registry
from mlxlab.core.reward import Reward
from mlxlab.core.runner import Runner
from mlxlab.core.runs import RunFolder, RunWriter
from mlxlab.core.sandbox import Sandbox, SandboxSetup
from mlxlab.core.scaffold import Scaffold
from mlxlab.core.spec import Spec
from mlxlab.core.states import StateStore
from mlxlab.core.task import Task, TaskInfo
from mlxlab.core.tree import RunContext

DEFAULT_TASK = "flights"
SIGNALS: dict[Feedback, tuple[str, ...]] = {
    "public": ("program output", "submission validity", "public score"),
    "self": ("program output", "submission validity", "score printed by the program"),
    "none": ("program output", "submission validity"),
    "private": ("program output", "submission validity", "PRIVATE score"),
}


@dataclass(frozen=True)
class RunOptions:
    """What a run is made of, as the user writes it; None takes the task's own default.

    Times are in seconds, money in US dollars.
    """

    task: str = DEFAULT_TASK
    scaffold: str = "aide"
    policy: str = "catalog"
    sandbox: str = "local"
    rewards: tuple[str, ...] = ("ml-agent",)
    steps: int | None = None
    time_s: float | None = None
    exec_timeout_s: float | None = None
    max_cost_usd: float | None = None
    seed: int = 0
    workers: int = 1
    feedback: Feedback | None = None
    out: Path = Path("runs")


@dataclass(frozen=True)
class Components:
    """The components of one run, made and checked; `rewards` by the name of their values."""

    registry: Registry
    task: Component[Task]
    scaffold: Component[Scaffold]
    policy: Component[Policy]
    sandbox: Component[Sandbox]
    rewards: dict[str, Component[Reward]]

    @classmethod
    def make(
        cls,
        registry: Registry,
        *,
        task: str,
        scaffold: str,
        policy: str,
        sandbox: str,
        rewards: tuple[str, ...],
    ) -> Components:
        """Make every component; the cheap ones first, so that a wrong word costs no time."""
        specs = {str(Spec.parse(reward)): reward for reward in rewards}
        return cls(
            registry=registry,
            policy=registry.create("policy", policy),
            scaffold=registry.create("scaffold", scaffold),
            sandbox=registry.create("sandbox", sandbox),
            rewards={name: registry.create("reward", spec) for name, spec in specs.items()},
            task=registry.create("task", task_spec(task, registry)),
        )

    def refs(self) -> dict[str, ComponentRef]:
        """The references of the components that a run has one of."""
        made = (self.task, self.scaffold, self.policy, self.sandbox)
        return {component.ref.kind: component.ref for component in made}


def task_spec(text: str, registry: Registry) -> Spec:
    """A task's spec; a path to a folder is the `folder` task over it."""
    named = text in registry.names("task")
    if not named and (
        text.endswith("/") or os.sep in text.partition(":")[0] or Path(text).is_dir()
    ):
        return Spec(name="folder", argument=str(Path(text).resolve()))
    return Spec.parse(text)


def new_run(options: RunOptions, hooks: Hooks, registry: Registry | None = None) -> Runner:
    """Make a run and its folder below `options.out`.

    Raises:
        UsageError: an option or a combination of options cannot be; no folder was made.
        PluginError, TaskError: a component cannot be used; no folder was made.
    """
    components = Components.make(
        registry or Registry.installed(),
        task=options.task,
        scaffold=options.scaffold,
        policy=options.policy,
        sandbox=options.sandbox,
        rewards=options.rewards,
    )
    task = components.task.instance
    info = task.info.model_copy(update={"preview": task.info.preview or preview(prepared(task))})
    manifest = _manifest(options, components, info)
    folder = options.out / manifest.run_id
    return _runner(RunWriter(folder), manifest, components, hooks)


def resumed_run(
    folder: RunFolder, hooks: Hooks, steps: int | None = None, registry: Registry | None = None
) -> Runner:
    """Take up a recorded run where it ended, with `steps` in all if given.

    Raises:
        RecordError: the folder is in use or cannot be read, or the task's data has changed.
    """
    manifest = folder.manifest()
    refs = manifest.components
    components = Components.make(
        registry or Registry.installed(),
        task=refs["task"].spec,
        scaffold=refs["scaffold"].spec,
        policy=refs["policy"].spec,
        sandbox=refs["sandbox"].spec,
        rewards=tuple(ref.spec for ref in manifest.rewards),
    )
    if components.task.instance.info.data_hash != manifest.task.data_hash:
        raise RecordError(
            f"The data of task '{manifest.task.id}' is not what {folder.path} was recorded with.",
            "Start a new run.",
        )
    if steps is not None:
        budget = manifest.budget.model_copy(update={"steps": steps})
        manifest = manifest.model_copy(update={"budget": budget})
    return _runner(RunWriter(folder.path), manifest, components, hooks)


def _manifest(options: RunOptions, components: Components, info: TaskInfo) -> RunManifest:
    feedback = _feedback(options.feedback, info, components.scaffold)
    wall_s = options.exec_timeout_s or info.exec_timeout_s
    isolation = components.sandbox.instance.isolation
    refs = components.refs()
    return RunManifest(
        run_id=run_id(info.id, refs["scaffold"].name, refs["policy"].name),
        mlxlab=version("mlxlab"),
        python=platform.python_version(),
        created_at=now(),
        task=info,
        components=refs,
        rewards=tuple(
            reward.ref.model_copy(update={"spec": name})
            for name, reward in components.rewards.items()
        ),
        seed=options.seed,
        workers=options.workers,
        limits=Limits(wall_s=wall_s),
        budget=BudgetLimits(
            steps=info.steps if options.steps is None else options.steps,
            time_s=options.time_s,
            max_cost_usd=options.max_cost_usd,
        ),
        feedback=feedback,
        attestation=Attestation(
            feedback=feedback,
            signals=SIGNALS[feedback],
            isolation=isolation,
            answers_reachable=isolation.answers_reachable,
            private_scores_shown=feedback == "private",
        ),
    )


def _feedback(wanted: Feedback | None, info: TaskInfo, scaffold: Component[Scaffold]) -> Feedback:
    feedback = wanted or ("public" if info.has_public else "self")
    if feedback == "public" and not info.has_public:
        raise UsageError(
            f"Task '{info.id}' has no public rows to score.", "Use --feedback self or none."
        )
    if feedback == "none" and scaffold.instance.needs_score:
        raise UsageError(
            f"Scaffold '{scaffold.ref.name}' chooses by score, and --feedback none gives none.",
            "Use --feedback public or self.",
        )
    return feedback


def _runner(
    writer: RunWriter, manifest: RunManifest, components: Components, hooks: Hooks
) -> Runner:
    task, info = components.task.instance, manifest.task
    starter = {path: text.encode() for path, text in info.starter.items()}
    states = StateStore(writer.path / "states", starter)
    context = RunContext(
        scaffold=manifest.components["scaffold"],
        sandbox=manifest.components["sandbox"].spec,
        feedback=manifest.feedback,
        seed=manifest.seed,
        limits=manifest.limits,
    )
    budget = Budget(manifest.budget, manifest.spent.wall_s)
    shutil.rmtree(writer.scratch, ignore_errors=True)
    inputs = prepared(task)
    grader = task.grader()

    async def make(worker: int) -> Environment:
        spec = manifest.components["sandbox"].spec
        sandbox: Sandbox = components.registry.create("sandbox", spec).instance
        folder = writer.scratch / str(worker)
        folder.mkdir(parents=True, exist_ok=True)
        cores = max(1, len(os.sched_getaffinity(0)) // manifest.workers)
        setup = SandboxSetup(scratch=folder, inputs=inputs, hidden=task.hidden, cores=cores)
        await sandbox.open(setup)
        rewards = {name: reward.instance for name, reward in components.rewards.items()}
        return Environment(info, grader, sandbox, states, rewards, hooks.action_handlers())

    return Runner(
        manifest=manifest,
        context=context,
        scaffold=components.scaffold.instance,
        caller=Caller(
            components.policy.instance,
            components.scaffold.instance,
            writer,
            budget,
            manifest.components,
        ),
        environments=EnvironmentPool(make, manifest.workers),
        writer=writer,
        states=states,
        budget=budget,
        hooks=hooks,
    )
