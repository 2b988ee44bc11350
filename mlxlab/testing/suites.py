"""Which suite a kind of component is put to."""

from __future__ import annotations

from mlxlab import testing
from mlxlab.testing.kit import Conformance, checks_of

_NAMES = {
    "command": "CommandConformance",
    "policy": "PolicyConformance",
    "reward": "RewardConformance",
    "sandbox": "SandboxConformance",
    "scaffold": "ScaffoldConformance",
    "task": "TaskConformance",
    "trainer": "TrainerConformance",
}
_BESIDE = {"policy": ("FaultConformance", "ServedConformance")}
"""Suites that need a server to misbehave: for pytest alone."""


def suite_of(kind: str) -> type[Conformance] | None:
    """The suite of a kind; None where components of the kind owe only what all of them do."""
    return _suite(_NAMES[kind]) if kind in _NAMES else None


def ids_of(kind: str) -> set[str]:
    """The ids of all checks that a component of a kind may be put to."""
    names = ("ComponentConformance", *_NAMES.get(kind, "").split(), *_BESIDE.get(kind, ()))
    return {check.id for name in names for check in checks_of(_suite(name))}


def _suite(name: str) -> type[Conformance]:
    found: type[Conformance] = getattr(testing, name)
    return found
