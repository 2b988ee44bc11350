"""Which protocols a kind of component keeps: the one that it has to, and those that it may."""

from __future__ import annotations

import inspect
from importlib import import_module

_REQUIRED = {
    "task": "task:Task",
    "scaffold": "scaffold:Scaffold",
    "policy": "policy:Policy",
    "sandbox": "sandbox:Sandbox",
    "reward": "reward:Reward",
    "trainer": "trainer:Trainer",
    "metric": "task:Metric",
    "suite": "suite:Suite",
}
_OPTIONAL = {
    "scaffold": ("scaffold:Formed", "scaffold:Listing"),
    "policy": ("policy:Priced", "policy:Varying", "policy:Bounded", "policy:Featured"),
    "trainer": ("trainer:Estimating",),
    "metric": ("task:MeanMetric", "task:GroupedMetric"),
}


def required(kind: str) -> type | None:
    """The protocol that a component of this kind has to keep; None: there is none."""
    return _found(_REQUIRED[kind]) if kind in _REQUIRED else None


def optional(kind: str) -> list[type]:
    """The protocols that it may keep: a method of theirs that it has is to be as they say."""
    return [_found(where) for where in _OPTIONAL.get(kind, ())]


def members(protocol: type) -> list[str]:
    """What a protocol asks for, by name; the protocols that it is made of included."""
    found: set[str] = set()
    for part in protocol.__mro__:
        if part.__module__.startswith("mlxlab."):
            found |= {name for name in vars(part) if not name.startswith("_")}
            found |= {name for name in inspect.get_annotations(part) if not name.startswith("_")}
    return sorted(found)


def _found(where: str) -> type:
    module, _, name = where.partition(":")
    protocol = getattr(import_module(f"mlxlab.core.{module}"), name)
    assert inspect.isclass(protocol)
    return protocol
