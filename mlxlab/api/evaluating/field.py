"""What an evaluation is made on: sets of states and tasks, and the means of measuring."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from mlxlab.api.evaluating.options import Measuring
from mlxlab.api.evaluating.record import ASKED, REWARDS
from mlxlab.api.evaluating.scale import Scale
from mlxlab.core.registry import Component, Registry
from mlxlab.core.scaffold import Scaffold
from mlxlab.core.training.arena import Arena
from mlxlab.core.training.states import State

NAMES = (ASKED, *REWARDS)
"""The rewards whose means are reported."""


@dataclass(frozen=True)
class Part:
    """One set: states that single actions start from, and tasks that episodes are played on."""

    name: str
    states: tuple[State, ...]
    tasks: tuple[str, ...]


@dataclass(frozen=True)
class Field:
    """All that is the same for every policy of an evaluation.

    Args:
        scaffold: what wrote the states' prompts, and what episodes are played with.
        tell: who hears what is measured, how much of it is done, and of how much.
    """

    parts: tuple[Part, ...]
    training: tuple[State, ...]
    scaffold: Component[Scaffold]
    arena: Arena
    registry: Registry
    options: Measuring
    sandbox: str
    reward: str
    seed: int
    scale: Scale = field(default_factory=lambda: Scale({}))
    tell: Callable[[str, int, int], None] = lambda what, done, total: None

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds of the episodes of a task."""
        return tuple(self.seed * 1000 + number for number in range(self.options.seeds))

    def key(self, spec: str, resolved: dict[str, Any]) -> str:
        """The hash of everything that a policy's figures depend on."""
        said = [
            spec,
            resolved,
            self.options.model_dump(mode="json"),
            [[part.name, [state.id for state in part.states], part.tasks] for part in self.parts],
            [state.id for state in self.training],
            [self.scaffold.ref.spec, self.sandbox, self.reward, self.seed],
        ]
        return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()
