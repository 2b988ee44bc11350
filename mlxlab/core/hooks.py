"""What is broadcast: typed hook specifications behind a typed facade over pluggy.

A hook module is advertised in the entry-point group `mlxlab`. Each is loaded alone; one that
cannot be loaded, or names a hook that does not exist, is skipped and named in `Hooks.broken`.
"""

from __future__ import annotations

from collections import Counter
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
"""The decorator of a hook's implementation."""

ActionHandler = Callable[[CustomAction, Sandbox], Awaitable[Observation]]
"""`async def handler(action: CustomAction, sandbox: Sandbox) -> Observation`."""


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
        self.handled_by: dict[str, str] = {}
        """Whose the handlers of custom actions are, by the action's name."""
        self._swallowed: Counter[tuple[str, str]] = Counter()
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
        for name, found in self._broadcast("mlx_action_handlers"):
            if found is None:
                continue
            if problem := _handlers_problem(found):
                self._note(name, PluginError(problem), "mlx_action_handlers ", problem)
                continue
            for action, handler in found.items():
                if handlers.setdefault(action, handler) is handler:
                    self.handled_by[action] = name
        return handlers

    def swallowed(self, error: BaseException, cause: str = "") -> None:
        """Note a component's failure that costs no run; people hear of it when that ends.

        Args:
            error: what it raised; others than a call's PluginError are nobody's.
            cause: how it is told, where its text must not be; by default its kind and text.
        """
        if not isinstance(error, PluginError) or not error.owner:
            return
        self._swallowed[error.owner, error.call] += 1
        times = self._swallowed[error.owner, error.call]
        where = f"{error.call}, {times} times: " if times > 1 else f"{error.call}: "
        if not cause and (error.__cause__ is None or isinstance(error, Late)):
            cause = str(error).removeprefix(f"{error.owner}: {error.call} ").removesuffix(".")
        self._note(error.owner, error, where, cause)

    def _broadcast(self, hook: str, **arguments: Any) -> list[tuple[str, Any]]:
        """What each implementation returned, with its name."""
        results = []
        # pluggy keeps them in the reverse of the order in which they are called.
        for implementation in reversed(getattr(self._manager.hook, hook).get_hookimpls()):
            name = implementation.plugin_name
            if name in self._stopped:
                continue
            wanted = {each: arguments[each] for each in implementation.argnames}
            try:
                with Boundary(name, hook):
                    results.append((name, implementation.function(**wanted)))
            except MlxError as error:
                if isinstance(error, Late):  # each further step would wait as long
                    self._stopped.add(name)
                self._note(name, error, f"{hook}: ")
        return results

    def _note(self, name: str, error: MlxError, where: str = "", told: str = "") -> None:
        cause = error.__cause__
        own = cause is not None and not isinstance(error, Late)
        told = told or (cause_of(cause) if own and cause else "")
        self.broken[name] = f"{where}{told}" if told else error.message
        self.errors[name] = error


def _handlers_problem(found: object) -> str:
    """What is wrong with what `mlx_action_handlers` returned; empty: nothing."""
    if not isinstance(found, dict):
        return f"returned {type(found).__name__}, no dict of handlers"
    wrong = [key for key, each in found.items() if not (isinstance(key, str) and callable(each))]
    return f"returned {wrong[0]!r}, which has no name or no handler" if wrong else ""
