"""One training in several processes: `accelerate launch` starts one for each GPU.

The first one keeps the record; the others train beside it. Each carries out its own share of the
actions, in sandboxes of its own.
"""

from __future__ import annotations

import os


def rank() -> int:
    """Which of the processes this one is; 0 where there is one."""
    return _number("RANK", 0)


def world() -> int:
    """How many there are."""
    return _number("WORLD_SIZE", 1)


def _number(variable: str, otherwise: int) -> int:
    said = os.environ.get(variable, "")
    return int(said) if said.isdecimal() else otherwise
