"""For each check of sandboxes a sandbox that breaks its promise, and few others."""

from __future__ import annotations

from tests.testing.mutants.sandbox.apart import ISOLATION, LEFTOVERS
from tests.testing.mutants.sandbox.files import FILES, INPUTS, PATHS
from tests.testing.mutants.sandbox.joints import Make
from tests.testing.mutants.sandbox.life import LIFE, SETUPS
from tests.testing.mutants.sandbox.limits import LIMITS
from tests.testing.mutants.sandbox.running import ENDING, EXECUTION, SURROUNDINGS
from tests.testing.mutants.sandbox.states import STATES, TRANSFER

__all__ = ["MUTANTS"]

MUTANTS: dict[str, Make] = {
    f"sandbox.{name}": make
    for table in (
        *(EXECUTION, ENDING, LIMITS, SURROUNDINGS, LEFTOVERS, FILES, PATHS, INPUTS),
        *(STATES, TRANSFER, LIFE, SETUPS, ISOLATION),
    )
    for name, make in table.items()
}
"""By the check's id."""
