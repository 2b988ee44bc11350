"""What is broadcast: typed hook specifications behind a typed facade over pluggy.

A hook module is advertised in the entry-point group `mlxlab`. Each is loaded alone; one that
cannot be loaded, or names a hook that does not exist, is skipped and named in `Hooks.broken`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import pluggy

from mlxlab.core.actions import Action, CustomAction
from mlxlab.core.boundary import Boundary, Late, cause_of
from mlxlab.core.entries import HOOKS, installed
from mlxlab.core.errors import MlxError, PluginError
from mlxlab.core.loading import loaded
from mlxlab.core.manifest import RunManifest
from mlxlab.core.records import Decision, Observation, Step
from mlxlab.core.sandbox import Sandbox
from mlxlab.core.trainer import TrainProgress

hookspec = pluggy.HookspecMarker("mlxlab")
hookimpl = pluggy.HookimplMarker("mlxlab")

ActionHandler = Callable[[CustomAction, Sandbox], Awaitable[Observation]]


class HookSpecs:
    """Every hook. Implementations may take fewer arguments than a hook offers."""

    @hookspec
    def mlx_run_started(self, manifest: RunManifest) -> None:
        """A run starts or resumes."""

    @hookspec
    def mlx_step_started(self, decision: Decision) -> None:
        """A decision was made; its policy call follows."""

    @hookspec
    def mlx_action_started(self, decision: Decision, action: Action | None) -> None:
        """The policy has answered and its action is carried out next; None where it gave none."""

    @hookspec
    def mlx_step_recorded(self, step: Step) -> None:
        """A step was recorded."""

    @hookspec
    def mlx_run_paused(self, reason: str, until: datetime) -> None:
        """A provider fails and the run waits for it; called again with each later moment."""

    @hookspec
    def mlx_run_resumed(self) -> None:
        """A provider that the run waited for has answered."""

    @hookspec
    def mlx_run_ended(self, manifest: RunManifest) -> None:
        """A run ended, whichever way."""

    @hookspec
    def mlx_training_step(self, progress: TrainProgress) -> None:
        """A trainer took a step."""

    @hookspec
    def mlx_action_handlers(self) -> dict[str, ActionHandler]:  # type: ignore[empty-body]
        """Handlers of custom actions, by the action's name."""


class Hooks:
    """Calls every implementation by itself: one that fails is named and costs nobody else."""

    def __init__(self) -> None:
        self._manager = pluggy.PluginManager("mlxlab")
        self._manager.add_hookspecs(HookSpecs)
        self.broken: dict[str, str] = {}
        self.errors: dict[str, BaseException] = {}
        """What the broken ones raised last, by the same names; for MLX_DEBUG=1."""
        self._stopped: set[str] = set()

    @classmethod
    def installed(cls) -> Hooks:
        """Hooks of every installed hook module."""
        hooks = cls()
        for entry in installed(HOOKS):
            name = f"{entry.distribution} {entry.version} ({entry.name})"
            try:
                with Boundary(f"hook module '{entry.entry_point.name}'", "registration"):
                    hooks.register(loaded(entry), name)
            except PluginError as error:
                hooks._note(name, error)
        return hooks

    def register(self, plugin: object, name: str | None = None) -> None:
        """Add an object with hook implementations; raises for a hook that does not exist."""
        self._manager.register(plugin, name)
        try:
            self._manager.check_pending()
        except pluggy.PluginValidationError:
            self._manager.unregister(plugin)
            raise

    def run_started(self, manifest: RunManifest) -> None:
        """Broadcast `mlx_run_started`."""
        self._broadcast("mlx_run_started", manifest=manifest)

    def step_started(self, decision: Decision) -> None:
        """Broadcast `mlx_step_started`."""
        self._broadcast("mlx_step_started", decision=decision)

    def action_started(self, decision: Decision, action: Action | None) -> None:
        """Broadcast `mlx_action_started`."""
        self._broadcast("mlx_action_started", decision=decision, action=action)

    def step_recorded(self, step: Step) -> None:
        """Broadcast `mlx_step_recorded`."""
        self._broadcast("mlx_step_recorded", step=step)

    def run_paused(self, reason: str, until: datetime) -> None:
        """Broadcast `mlx_run_paused`."""
        self._broadcast("mlx_run_paused", reason=reason, until=until)

    def run_resumed(self) -> None:
        """Broadcast `mlx_run_resumed`."""
        self._broadcast("mlx_run_resumed")

    def run_ended(self, manifest: RunManifest) -> None:
        """Broadcast `mlx_run_ended`."""
        self._broadcast("mlx_run_ended", manifest=manifest)

    def training_step(self, progress: TrainProgress) -> None:
        """Broadcast `mlx_training_step`."""
        self._broadcast("mlx_training_step", progress=progress)

    def action_handlers(self) -> dict[str, ActionHandler]:
        """Every registered handler of a custom action; the first to take a name keeps it."""
        handlers: dict[str, ActionHandler] = {}
        for found in self._broadcast("mlx_action_handlers"):
            if isinstance(found, dict):
                handlers = {**found, **handlers}
        return handlers

    def _broadcast(self, hook: str, **arguments: Any) -> list[Any]:
        results = []
        # pluggy keeps them in the reverse of the order in which they are called.
        for implementation in reversed(getattr(self._manager.hook, hook).get_hookimpls()):
            name = implementation.plugin_name
            if name in self._stopped:
                continue
            wanted = {each: arguments[each] for each in implementation.argnames}
            try:
                with Boundary(name, hook):
                    results.append(implementation.function(**wanted))
            except MlxError as error:
                if isinstance(error, Late):  # each further step would wait as long
                    self._stopped.add(name)
                self._note(name, error, f"{hook}: ")
        return results

    def _note(self, name: str, error: MlxError, where: str = "") -> None:
        cause = error.__cause__
        own = cause is not None and not isinstance(error, Late)
        self.broken[name] = f"{where}{cause_of(cause)}" if own and cause else error.message
        self.errors[name] = error
