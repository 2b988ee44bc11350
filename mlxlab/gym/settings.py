"""What an environment was made with, checked: components, limits, what is told, where it goes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from mlxlab.api.arguments import refuse_amount, specs
from mlxlab.core.errors import UsageError
from mlxlab.core.guarded import GuardedSandbox
from mlxlab.core.policy import Policy
from mlxlab.core.records import ComponentRef, Feedback, Limits
from mlxlab.core.registry import Component, Registry
from mlxlab.core.reward import Reward
from mlxlab.core.sandbox import Isolation, Sandbox
from mlxlab.core.spec import Spec
from mlxlab.gym.actions import ActionSet, action_set
from mlxlab.gym.subject import Subject, subject

REWARD = "ml-agent?version=2"
"""Its sum over an episode is the share of the task's gap that was closed, less one an error."""


@dataclass(frozen=True)
class Settings:
    """One environment's settings; the task's files and answers are not loaded yet.

    Times are in seconds. `reward` is the spec that its values are recorded under.
    """

    subject: Subject
    actions: ActionSet
    reward: str
    rewards: Mapping[str, Reward]
    make_sandbox: Callable[[], Sandbox]
    isolation: Isolation
    editor: Policy | None
    refs: Mapping[str, ComponentRef]
    reward_ref: ComponentRef
    feedback: Feedback
    max_steps: int
    max_time: float | None
    limits: Limits
    cores: int
    record: Path | None


def settings(
    task: Any,
    actions: str,
    reward: Any,
    feedback: Feedback | None,
    sandbox: Any,
    editor: Any,
    max_steps: int | None,
    max_time: float | None,
    exec_timeout: float | None,
    cores: int,
    record: str | Path | None,
) -> Settings:
    """Make and check what an environment needs; raises UsageError, PluginError, TaskError."""
    _refuse_odd(max_steps, max_time, exec_timeout, cores, feedback)
    parts = {"task": task, "sandbox": sandbox, "editor": editor, "rewards": reward}
    found, registry = specs(parts, 1)
    chosen = action_set(actions, registry, with_editor=editor is not None)
    judge = _one_reward(found["rewards"], registry)
    box = registry.create("sandbox", found["sandbox"])
    asked = registry.create("policy", found["editor"]) if "editor" in found else None
    what = subject(found["task"], registry)
    refs = {"task": what.ref, "sandbox": box.ref}
    if asked is not None:
        refs["editor"] = asked.ref
    name = str(Spec.parse(judge.ref.spec))
    return Settings(
        subject=what,
        actions=chosen,
        reward=name,
        rewards={name: judge.instance},
        make_sandbox=lambda: GuardedSandbox(registry.create("sandbox", found["sandbox"])),
        isolation=box.instance.isolation,
        editor=asked.instance if asked is not None else None,
        refs=refs,
        reward_ref=judge.ref,
        feedback=_feedback(feedback, what),
        max_steps=max_steps or what.info.steps,
        max_time=max_time,
        limits=Limits(wall_s=exec_timeout or what.info.exec_timeout_s),
        cores=cores,
        record=None if record is None else Path(record),
    )


def _one_reward(named: tuple[str, ...], registry: Registry) -> Component[Reward]:
    if len(named) != 1:
        raise UsageError(f"An environment has one reward, not {len(named)}.", "Name one.")
    return registry.create("reward", named[0])


def _feedback(wanted: Feedback | None, what: Subject) -> Feedback:
    feedback = wanted or ("public" if what.info.has_public else "self")
    if feedback == "public" and not what.info.has_public:
        raise UsageError(
            f"Task '{what.info.id}' has no public rows to score.",
            "Use feedback='self' or feedback='none'.",
        )
    return feedback


def _refuse_odd(
    max_steps: object, max_time: object, exec_timeout: object, cores: object, feedback: object
) -> None:
    value: Any
    for name, value in (("max_steps", max_steps), ("cores", cores)):
        whole = isinstance(value, int) and not isinstance(value, bool)
        if value is not None and not (whole and value > 0):
            raise UsageError(f"{name}={value!r} is no whole number of 1 or more.")
    refuse_amount("max_time", max_time)
    refuse_amount("exec_timeout", exec_timeout)
    if feedback not in (None, *get_args(Feedback)):
        raise UsageError(f"feedback={feedback!r} is none of {', '.join(get_args(Feedback))}.")
