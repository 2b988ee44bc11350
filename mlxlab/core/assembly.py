"""From a manifest and its components to a Runner over a run's folder."""

from __future__ import annotations

from pathlib import Path

from mlxlab.core.boundary import whose
from mlxlab.core.budget import Budget
from mlxlab.core.cache import Cache
from mlxlab.core.calls import Caller
from mlxlab.core.components import Components
from mlxlab.core.cores import leases, processors, shares
from mlxlab.core.environment import Environment
from mlxlab.core.guarded import GuardedSandbox
from mlxlab.core.hooks import Hooks
from mlxlab.core.manifest import RunManifest
from mlxlab.core.planning import Ground, order_of
from mlxlab.core.pool import EnvironmentPool, Make
from mlxlab.core.purse import Purse
from mlxlab.core.runner import Runner
from mlxlab.core.runs import RunWriter
from mlxlab.core.sandbox import SandboxSetup
from mlxlab.core.states import StateStore
from mlxlab.core.tree import RunContext


def assembled(
    writer: RunWriter,
    manifest: RunManifest,
    components: Components,
    ground: Ground,
    hooks: Hooks,
    purse: Purse | None = None,
) -> Runner:
    """The Runner of a run; nothing is opened or asked yet."""
    starter = {path: text.encode() for path, text in ground.info.starter.items()}
    states = StateStore(writer.path / "states", starter, manifest.max_state_bytes)
    context = RunContext(
        scaffold=manifest.components["scaffold"],
        sandbox=manifest.components["sandbox"].spec,
        feedback=manifest.feedback,
        seed=manifest.seed,
        limits=manifest.limits,
    )
    budget = Budget(manifest.budget, manifest.spent.wall_s, purse)
    make = _maker(writer, manifest, components, ground, states, hooks)
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
            manifest.patience_s,
            editor=components.editor.instance if components.editor else None,
            cache=Cache(Path(manifest.cache), writer.path) if manifest.cache else None,
            tell=hooks,
            noted=hooks.swallowed,
        ),
        environments=EnvironmentPool(make, manifest.workers, hooks),
        writer=writer,
        states=states,
        budget=budget,
        hooks=hooks,
        order=order_of(components),
    )


def _maker(
    writer: RunWriter,
    manifest: RunManifest,
    components: Components,
    ground: Ground,
    states: StateStore,
    hooks: Hooks,
) -> Make:
    """What opens the environment of a worker, on its share of the machine."""
    machine = processors()
    cpus = shares(manifest.workers, machine)
    gpus = leases(manifest.workers, manifest.gpus)
    rewards = {name: reward.instance for name, reward in components.rewards.items()}
    owners = {name: whose(reward.ref) for name, reward in components.rewards.items()}

    async def make(worker: int) -> Environment:
        made = components.registry.create("sandbox", components.sandbox.spec)
        sandbox = GuardedSandbox(made)
        folder = writer.scratch / str(worker)
        folder.mkdir(parents=True, exist_ok=True)
        setup = SandboxSetup(
            scratch=folder,
            inputs=ground.inputs,
            hidden=ground.hidden,
            cores=len(cpus[worker]),
            # Workers that must share processors are better spread by the kernel, moment by moment.
            cpus=cpus[worker] if 1 < manifest.workers <= len(machine) else (),
            gpus=gpus[worker],
        )
        await sandbox.open(setup)
        handlers = hooks.action_handlers()
        return Environment(
            ground.info, ground.grader, sandbox, states, rewards, handlers, owners, ground.owner,
            hooks,
        )  # fmt: skip

    return make
