"""What `mlxlab.run` takes, as the options and the registry that core takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict, get_args

from mlxlab.core.errors import UsageError
from mlxlab.core.given import Given, single
from mlxlab.core.launch import RunOptions
from mlxlab.core.near import did_you_mean
from mlxlab.core.policy import Policy
from mlxlab.core.records import Feedback
from mlxlab.core.registry import Registry
from mlxlab.core.reward import Reward
from mlxlab.core.sandbox import Sandbox
from mlxlab.core.scaffold import Scaffold
from mlxlab.core.task import Task

Rewards = str | Reward | Sequence[str | Reward] | Mapping[str, Reward]
KINDS = {
    "task": "task",
    "scaffold": "scaffold",
    "policy": "policy",
    "editor": "policy",
    "sandbox": "sandbox",
}
"""Each component's parameter and kind."""
NAMED = {
    "time": "time_s",
    "exec_timeout": "exec_timeout_s",
    "max_cost": "max_cost_usd",
    "patience": "patience_s",
    "max_state": "max_state_bytes",
}
"""The fields of RunOptions whose parameter has another name."""


class Parts(TypedDict, total=False):
    """The components of a run: a spec, or an object that does what its kind has to do."""

    task: str | Path | Task
    scaffold: str | Scaffold
    policy: str | Policy
    sandbox: str | Sandbox | Callable[[], Sandbox]
    editor: str | Policy | None
    rewards: Rewards


class Arguments(Parts, total=False):
    """Everything that `mlxlab.run` takes, but for `progress`."""

    steps: int | None
    time: float | None
    exec_timeout: float | None
    max_cost: float | None
    max_tokens: int | None
    patience: float | None
    max_state: int | None
    seed: int
    workers: int | None
    gpus: str | Sequence[int]
    feedback: Feedback | None
    cache: bool | str | Path | None
    ideas: Sequence[str]
    out: str | Path


def options(arguments: Arguments) -> tuple[RunOptions, Given]:
    """The options of a new run, and a registry that holds the objects; raises UsageError."""
    given: dict[str, Any] = dict(arguments)
    refuse_unknown(given, Arguments)
    found, registry = specs(given, given.get("workers") or 1)
    plain = ("steps", "max_tokens", "seed", "workers", "feedback")
    found |= {name: given[name] for name in plain if name in given}
    found |= {new: given[old] for old, new in NAMED.items() if old in given}
    found["out"] = Path(given.get("out", "runs"))
    found["cache"] = _cache(given.get("cache"), found["out"])
    found["gpus"] = _gpus(given.get("gpus", ()))
    found["ideas"] = _ideas(given.get("ideas", ()))
    _refuse_odd(found)
    return RunOptions(**found), registry


def refuse_unknown(given: Mapping[str, Any], known: type[Parts]) -> None:
    """Raise UsageError for a name that is no parameter: Python would ignore it."""
    names = known.__annotations__
    for name in given:
        if name not in names:
            hint = did_you_mean(name, names, f"Known: {', '.join(names)}.")
            raise UsageError(f"There is no option '{name}'.", hint)


def specs(parts: Mapping[str, Any], workers: int) -> tuple[dict[str, Any], Given]:
    """The specs of the components that were given, and a registry that holds the objects.

    Raises:
        UsageError: an object does not fit, or one sandbox is to serve several workers.
    """
    registry = Given(Registry.installed().entries)
    found: dict[str, Any] = {}
    for name, kind in KINDS.items():
        part = parts.get(name)
        if isinstance(part, str | Path):
            found[name] = str(part)
        elif part is not None:
            found[name] = registry.add(kind, part)
    sandbox = parts.get("sandbox", "local")
    if single("sandbox", sandbox) and workers > 1:
        raise UsageError(
            f"One {type(sandbox).__name__} cannot serve {workers} workers.",
            "Give its class, or a function that makes one.",
        )
    if "rewards" in parts:
        found["rewards"] = _rewards(parts["rewards"], registry)
    return found, registry


def objects(parts: Mapping[str, Any]) -> dict[str, Any]:
    """The components that are no mere specs, by their parameters: what a resume needs again."""
    given = {name: parts[name] for name in KINDS if name in parts}
    found = {name: part for name, part in given.items() if not _plain(part)}
    rewards = parts.get("rewards", ())
    several = rewards if isinstance(rewards, list | tuple) else [rewards]
    return found if all(map(_plain, several)) else found | {"rewards": rewards}


def _plain(part: object) -> bool:
    return part is None or isinstance(part, str | Path)


def _rewards(rewards: Rewards, registry: Given) -> tuple[str, ...]:
    if isinstance(rewards, Mapping):
        return tuple(registry.add("reward", thing, name) for name, thing in rewards.items())
    several = list(rewards) if isinstance(rewards, list | tuple) else [rewards]
    return tuple(
        part if isinstance(part, str) else registry.add("reward", part) for part in several
    )


def _cache(cache: bool | str | Path | None, out: Path) -> str | Path | None:
    """Where answers are reused from: the runs in `out` if it only says that they are."""
    if cache is None or isinstance(cache, bool):
        return out if cache else None
    if not isinstance(cache, str | Path):
        raise UsageError(f"cache={cache!r} is neither True nor a run or a folder of runs.")
    return cache


def _gpus(gpus: str | Sequence[int]) -> tuple[int, ...]:
    from mlxlab.core.cores import gpu_indices

    if isinstance(gpus, str):
        return gpu_indices(gpus)
    try:
        text = ",".join(map(str, gpus))
    except TypeError:
        raise UsageError(f"gpus={gpus!r} is no list of numbers.") from None
    return gpu_indices(text) if text else ()


def _ideas(ideas: str | Sequence[str]) -> tuple[str, ...]:
    several = (ideas,) if isinstance(ideas, str) else tuple(ideas)
    if not all(isinstance(idea, str) for idea in several):
        raise UsageError(f"ideas={ideas!r} is no list of texts.")
    return several


def refuse_amount(name: str, value: object) -> None:
    """Raise UsageError for what is no amount above 0."""
    if value is not None and not (isinstance(value, int | float) and value > 0):
        raise UsageError(f"{name}={value!r} is no amount above 0.")


def _refuse_odd(found: Mapping[str, Any]) -> None:
    """What the command line would refuse."""
    for name in ("steps", "max_tokens", "workers", "max_state_bytes"):
        value = found.get(name)
        if value is not None and (not isinstance(value, int) or value < 1):
            shown = name.removesuffix("_bytes")
            raise UsageError(f"{shown}={value!r} is no whole number of 1 or more.")
    for name in ("time_s", "exec_timeout_s", "max_cost_usd", "patience_s"):
        refuse_amount(name.removesuffix("_s").removesuffix("_usd"), found.get(name))
    if not isinstance(seed := found.get("seed", 0), int):
        raise UsageError(f"seed={seed!r} is no whole number.")
    if (told := found.get("feedback")) not in (None, *get_args(Feedback)):
        raise UsageError(f"feedback={told!r} is none of {', '.join(get_args(Feedback))}.")
