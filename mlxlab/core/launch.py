"""From a run's options to a Runner: components made and checked first, then the folder."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mlxlab.core.assembly import assembled
from mlxlab.core.components import Components, Specs
from mlxlab.core.errors import RecordError, UsageError
from mlxlab.core.guarded import isolation_of
from mlxlab.core.hooks import Hooks
from mlxlab.core.manifest import RunManifest
from mlxlab.core.origin import recorded_here, signature
from mlxlab.core.planning import Ground, RunOptions, attested, ground_of, planned, refuse_unlisted
from mlxlab.core.policy import Priced
from mlxlab.core.purse import Purse
from mlxlab.core.records import Limits
from mlxlab.core.registry import Registry
from mlxlab.core.runner import Runner
from mlxlab.core.runs import RunFolder, RunWriter
from mlxlab.core.states import MAX_BYTES
from mlxlab.core.watch import watching

__all__ = ["Plan", "RunOptions", "new_run", "plan_run", "resumed_run"]


def plan_run(options: RunOptions, registry: Registry | None = None) -> Plan:
    """Make and check everything that a run needs, and write nothing below `options.out`.

    Raises:
        UsageError: an option or a combination of options cannot be.
        PluginError, TaskError: a component cannot be used.
    """
    with watching():
        components = Components.make(registry or Registry.installed(), options)
        ground = ground_of(components.task, options.ideas)
        manifest = planned(options, components, ground.info)
    if options.out.exists() and not options.out.is_dir():
        raise UsageError(f"{options.out} is no folder that runs could go to.")
    return Plan(options, components, ground, manifest)


def new_run(options: RunOptions, hooks: Hooks, registry: Registry | None = None) -> Runner:
    """Make a run and its folder below `options.out`; raises as `plan_run`, and makes none then."""
    return plan_run(options, registry).start(hooks)


def resumed_run(
    folder: RunFolder,
    hooks: Hooks,
    steps: int | None = None,
    specs: Specs | None = None,
    registry: Registry | None = None,
    sandbox: str | None = None,
    patience_s: float | None = None,
    purse: Purse | None = None,
) -> Runner:
    """Take up a recorded run where it ended, with `steps` in all if given.

    Args:
        folder: the run.
        hooks: who is told.
        steps: how many steps the run shall have in all.
        specs: the components to go on with, for a run that somebody else recorded: what stands
            in such a folder is not trusted.
        registry: where components are found.
        sandbox: where to go on, if not where it was: states fit every sandbox. The decisions tell
            which step was made where.
        patience_s: how long providers may fail, if not as long as before.
        purse: what it and other runs may spend together.

    Raises:
        RecordError: the folder is in use or cannot be read, or the task's data has changed.
        UsageError: the run was recorded elsewhere and `specs` is None.
    """
    folder.manifest()  # a folder that is no run is not written to
    with watching(), _held(folder.path) as writer:
        found = registry or Registry.installed()
        return _resumed(writer, hooks, steps, specs, found, sandbox, patience_s, purse)


def _resumed(
    writer: RunWriter,
    hooks: Hooks,
    steps: int | None,
    specs: Specs | None,
    registry: Registry,
    sandbox: str | None,
    patience_s: float | None,
    purse: Purse | None,
) -> Runner:
    manifest = writer.manifest()
    if specs is None and not recorded_here(manifest):
        raise UsageError(
            f"{writer.path} was recorded elsewhere; its components could send your keys to a "
            "stranger.",
            f"Say them anew. They were: {Specs.of(manifest).as_options()}",
        )
    wanted = specs or Specs.of(manifest)
    made = Components.make(registry, replace(wanted, sandbox=sandbox) if sandbox else wanted)
    isolation_of(made.sandbox)
    refuse_unlisted(made)
    if specs is None:
        made.check_same(manifest)
    ground = ground_of(made.task, manifest.ideas)
    then = manifest.task
    if (ground.info.data_hash, ground.info.starter) != (then.data_hash, then.starter):
        raise RecordError(
            f"The data of task '{manifest.task.id}' is not what {writer.path} was recorded with.",
            "Start a new run.",
        )
    update: dict[str, Any] = {
        **made.as_recorded(),
        "task": ground.info,
        "attestation": attested(manifest.attestation, made.sandbox.instance),
        "patience_s": patience_s or manifest.patience_s,
    }
    if specs is not None:
        update["limits"] = Limits(wall_s=ground.info.exec_timeout_s)
        update["cache"] = None
        update["max_state_bytes"] = min(manifest.max_state_bytes, MAX_BYTES)
    if steps is not None:
        update["budget"] = manifest.budget.model_copy(update={"steps": steps})
    manifest = manifest.model_copy(update=update)
    manifest = manifest.model_copy(update={"origin": signature(manifest)})
    return assembled(writer, manifest, made, ground, hooks, purse)


@contextmanager
def _held(folder: Path) -> Iterator[RunWriter]:
    """Take a run folder for writing; on a failure let go of it, and of a new one altogether."""
    new = not folder.exists()
    writer = RunWriter(folder)
    try:
        yield writer
    except BaseException:
        writer.close()
        if new:
            shutil.rmtree(folder, ignore_errors=True)
        raise


@dataclass(frozen=True)
class Plan:
    """A run that can start; `manifest` is what would be recorded of it."""

    options: RunOptions
    components: Components
    ground: Ground
    manifest: RunManifest

    @property
    def stated(self) -> bool:
        """Whether everybody who is asked states a price."""
        return all(isinstance(policy, Priced) for policy in self.components.policies)

    def start(self, hooks: Hooks, purse: Purse | None = None) -> Runner:
        """Make the run's folder and a Runner over it; it may share a purse with other runs."""
        manifest = self.manifest.model_copy(update={"origin": signature(self.manifest)})
        with _held(self.options.out / manifest.run_id) as writer:
            writer.write_manifest(manifest)
            return assembled(writer, manifest, self.components, self.ground, hooks, purse)
