"""The global random numbers of Python, and of numpy where it is imported."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def drawn_anew(seed: str) -> Iterator[None]:
    """Seed them otherwise for a while."""
    numpy, kept = _numpy(), random.getstate()
    held = numpy.get_state() if numpy else None
    random.seed(seed)
    if numpy:
        numpy.seed(len(seed) + 1_000_003)
    try:
        yield
    finally:
        random.setstate(kept)
        if numpy:
            numpy.set_state(held)


def global_draws() -> dict[str, object]:
    """What the next global random numbers depend on, by whose they are."""
    found: dict[str, object] = {"the global random numbers": random.getstate()}
    if numpy := _numpy():
        name, keys, *rest = numpy.get_state()
        found["numpy's global random numbers"] = (name, keys.tobytes(), *rest)
    return found


def _numpy() -> Any:
    """numpy.random, if it is imported: what is not cannot have been used."""
    return sys.modules.get("numpy.random")
