"""The components of a run: their specs, and what the registry makes of them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Any

from mlxlab.core.attributes import attribute_problem
from mlxlab.core.boundary import Boundary, whose
from mlxlab.core.errors import PluginError, RecordError, UsageError
from mlxlab.core.given import misnamed, missing
from mlxlab.core.manifest import RunManifest
from mlxlab.core.policy import Policy
from mlxlab.core.records import ComponentRef
from mlxlab.core.registry import Component, Registry
from mlxlab.core.reward import Reward
from mlxlab.core.sandbox import Sandbox
from mlxlab.core.scaffold import Scaffold
from mlxlab.core.spec import Spec
from mlxlab.core.task import Task

DEFAULT_TASK = "flights"
ONE_EACH = ("task", "scaffold", "policy", "sandbox")
"""The kinds that a run has one component of."""


@dataclass(frozen=True)
class Specs:
    """What a run is made of, as the user writes it; no editor means the policy itself."""

    task: str = DEFAULT_TASK
    scaffold: str = "aide"
    policy: str = "catalog"
    sandbox: str = "local"
    rewards: tuple[str, ...] = ("ml-agent",)
    editor: str | None = None

    @classmethod
    def of(cls, manifest: RunManifest) -> Specs:
        """The specs that a run was recorded with; raises RecordError if one is missing."""
        found = manifest.components
        if missing := [kind for kind in ONE_EACH if kind not in found]:
            raise RecordError(f"The run {manifest.run_id} names no {' and no '.join(missing)}.")
        task, scaffold, policy, sandbox = (found[kind].spec for kind in ONE_EACH)
        rewards = tuple(reward.spec for reward in manifest.rewards)
        editor = found["editor"].spec if "editor" in found else None
        return cls(task, scaffold, policy, sandbox, rewards, editor)

    def as_options(self) -> str:
        """The command-line options that say the same."""
        words = [f"--{kind} {quote(getattr(self, kind))}" for kind in ONE_EACH]
        if self.editor is not None:
            words.append(f"--editor {quote(self.editor)}")
        return " ".join([*words, *(f"--reward {quote(reward)}" for reward in self.rewards)])


@dataclass(frozen=True)
class Components:
    """The components of one run, made and checked; `rewards` by the name of their values."""

    registry: Registry
    task: Component[Task]
    scaffold: Component[Scaffold]
    policy: Component[Policy]
    sandbox: Component[Sandbox]
    rewards: dict[str, Component[Reward]]
    editor: Component[Policy] | None = None

    @classmethod
    def make(cls, registry: Registry, specs: Specs) -> Components:
        """Make every component; the cheap ones first, so that a wrong word costs no time."""
        return cls(
            registry=registry,
            policy=made(registry, "policy", specs.policy),
            editor=None if specs.editor is None else made(registry, "policy", specs.editor),
            scaffold=made(registry, "scaffold", specs.scaffold),
            sandbox=made(registry, "sandbox", specs.sandbox),
            rewards=_by_spelling(made(registry, "reward", spec) for spec in specs.rewards),
            task=made(registry, "task", task_spec(specs.task, registry)),
        )

    def check_same(self, manifest: RunManifest) -> None:
        """Raise UsageError where a name that a run was recorded with has another meaning now."""
        for role, now in self.as_recorded()["components"].items():
            then = manifest.components[role]
            if differences := _differences(then, now):
                raise UsageError(
                    f"The {role} '{then.spec}' is not what {manifest.run_id} was recorded with: "
                    f"{'; '.join(differences)}.",
                    "Put it back as it was, or start a new run.",
                )

    @property
    def policies(self) -> tuple[Policy, ...]:
        """Who is asked: the policy, and the editor if there is one."""
        made = (self.policy, self.editor)
        return tuple(component.instance for component in made if component is not None)

    def as_recorded(self) -> dict[str, Any]:
        """The manifest's entries for them."""
        made = (self.task, self.scaffold, self.policy, self.sandbox)
        refs = {component.ref.kind: component.ref for component in made}
        if self.editor is not None:
            refs["editor"] = self.editor.ref
        return {
            "components": refs,
            "rewards": tuple(reward.ref for reward in self.rewards.values()),
        }


def _by_spelling(rewards: Iterable[Component[Reward]]) -> dict[str, Component[Reward]]:
    """Rewards by the spec that is recorded of them, so that the manifest names their values."""
    return {reward.ref.spec: reward for reward in rewards}


def made(registry: Registry, kind: str, spec: str | Spec) -> Component[Any]:
    """A component that has what its kind has to have, of the right types.

    Raises:
        PluginError: something is missing, or is of another type.
        MlxError: as `Registry.create`.
    """
    found = registry.create(kind, spec)
    who = whose(found.ref)
    with Boundary(who, "its attributes"):
        lacking = missing(kind, found.instance)
        problem = "" if lacking else attribute_problem(kind, found.instance)
    if lacking:
        hint = misnamed(kind, lacking, found.instance)
        text = f"{who} is no {kind}: it has no {', no '.join(lacking)}."
        raise PluginError(text, hint, owner=who)
    if problem:
        raise PluginError(f"{who}: {problem}.", owner=who)
    return found


def _differences(then: ComponentRef, now: ComponentRef) -> list[str]:
    """What stands for something else; the first runs recorded nothing to compare."""
    if not (then.resolved or then.details):
        return []
    keys = {**then.resolved, **now.resolved}
    pairs = {key: (then.resolved.get(key), now.resolved.get(key)) for key in keys}
    return [f"{key} is {new}, was {old}" for key, (old, new) in pairs.items() if old != new]


def task_spec(text: str, registry: Registry) -> Spec:
    """A task's spec; a path to a folder is the `folder` task over it."""
    named = text in registry.names("task")
    if not named and (os.sep in text.partition(":")[0] or Path(text).is_dir()):
        return Spec(name="folder", argument=str(Path(text).resolve()))
    return Spec.parse(text)
