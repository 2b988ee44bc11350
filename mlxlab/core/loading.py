"""Importing what an entry point names, so that nobody else notices."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from pathlib import Path
from typing import Any

from mlxlab.core.boundary import Boundary
from mlxlab.core.entries import Entry, misfit
from mlxlab.core.errors import PluginError

_ONE_AT_A_TIME = threading.RLock()


def whose_entry(entry: Entry) -> str:
    """An entry by kind, name, distribution and version."""
    return f"{entry.kind} '{entry.name}' of {entry.distribution} {entry.version}"


def loaded(entry: Entry) -> Any:
    """Import an entry's target.

    Raises:
        PluginError: it is made for another plugin API, or its code failed; with owner and cause.
    """
    if (why := misfit(entry)) is not None:
        raise PluginError(f"{whose_entry(entry)} {why[0]}.", why[1])
    point = f"{entry.kind}.{entry.name} = {entry.target}"
    hint = f"Its entry point: {point}. Repair or remove it; MLX_DEBUG=1 shows the traceback."
    whole = Boundary(whose_entry(entry), "import", failed="could not be loaded", hint=hint)
    with whole, undisturbed():
        return entry.entry_point.load()


@contextmanager
def undisturbed() -> Iterator[None]:
    """Send what is printed to stderr, and keep the working directory as it is."""
    with _ONE_AT_A_TIME:
        here = _here()
        try:
            with redirect_stdout(sys.stderr):
                yield
        finally:
            if here and here != _here():
                with suppress(OSError):
                    os.chdir(here)


def _here() -> Path | None:
    try:
        return Path.cwd()
    except OSError:  # it was removed
        return None
