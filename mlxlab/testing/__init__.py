"""Public fakes and conformance suites, for people who write components.

A suite is imported when it is first asked for: to import this package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlxlab.testing.commands import CommandConformance
    from mlxlab.testing.components import ComponentConformance
    from mlxlab.testing.kit import Check, Conformance, Result, checks_of, run_checks
    from mlxlab.testing.policies import (
        FaultConformance,
        PolicyConformance,
        ScriptedPolicy,
        ServedConformance,
    )
    from mlxlab.testing.rewards import ConstantReward, RewardConformance
    from mlxlab.testing.sandboxes import MemorySandbox
    from mlxlab.testing.sandboxes.conformance import SandboxConformance
    from mlxlab.testing.scaffolds import ScaffoldConformance
    from mlxlab.testing.tasks import TaskConformance, ToyTask, toy_task
    from mlxlab.testing.trainers import RecordingTrainer, TrainerConformance

_WHERE = {
    "kit": ("Check", "Conformance", "Result", "checks_of", "run_checks"),
    "commands": ("CommandConformance",),
    "components": ("ComponentConformance",),
    "policies": (
        "FaultConformance",
        "PolicyConformance",
        "ScriptedPolicy",
        "ServedConformance",
    ),
    "rewards": ("ConstantReward", "RewardConformance"),
    "sandboxes": ("MemorySandbox",),
    "sandboxes.conformance": ("SandboxConformance",),
    "scaffolds": ("ScaffoldConformance",),
    "tasks": ("TaskConformance", "ToyTask", "toy_task"),
    "trainers": ("RecordingTrainer", "TrainerConformance"),
}
_MODULES = {name: module for module, names in _WHERE.items() for name in names}

__all__ = [
    "Check",
    "CommandConformance",
    "ComponentConformance",
    "Conformance",
    "ConstantReward",
    "FaultConformance",
    "MemorySandbox",
    "PolicyConformance",
    "RecordingTrainer",
    "Result",
    "RewardConformance",
    "SandboxConformance",
    "ScaffoldConformance",
    "ScriptedPolicy",
    "ServedConformance",
    "TaskConformance",
    "ToyTask",
    "TrainerConformance",
    "checks_of",
    "run_checks",
    "toy_task",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'mlxlab.testing' has no attribute {name!r}")
    return getattr(import_module(f"mlxlab.testing.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
