"""The contract of a trainer: recorded steps and a policy in, a new policy out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol, runtime_checkable

from mlxlab.core.records import Record


class TrainProgress(Record):
    """One training step's figures, by name."""

    step: int
    total: int | None = None
    figures: dict[str, float] = {}


class PolicyRef(Record):
    """A policy that `--policy` accepts, written as a component spec."""

    spec: str


@runtime_checkable
class Trainer(Protocol):
    """Consumes recorded runs; yields progress and ends with the reference of a new policy."""

    def train(
        self, runs: list[Path], base: PolicyRef, out: Path
    ) -> Iterator[TrainProgress | PolicyRef]:
        """Train on recorded runs into `out`; the last item is the new PolicyRef."""
        ...
