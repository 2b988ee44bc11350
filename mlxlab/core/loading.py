"""Importing what an entry point names, so that nobody else notices."""

from __future__ import annotations

import builtins
import json
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, redirect_stdout, suppress
from pathlib import Path
from typing import Any

from mlxlab.core.boundary import Boundary
from mlxlab.core.entries import Entry, misfit
from mlxlab.core.errors import PluginError

SHARED: tuple[Any, ...] = (builtins, json, json.JSONEncoder, json.JSONDecoder)
"""What everybody works with, the record's writers too: no plugin may replace a part of it."""
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
    hint = f"Repair or remove '{entry.distribution}'; MLX_DEBUG=1 shows the traceback."
    whole = Boundary(whose_entry(entry), "import", failed="could not be loaded", hint=hint)
    with whole, undisturbed(not entry.builtin):
        return entry.entry_point.load()


@contextmanager
def undisturbed(guarded: bool = True) -> Iterator[None]:
    """Send what is printed to stderr, and keep working directory and `SHARED` as they are.

    Raises:
        RuntimeError: a part of `SHARED` was replaced; it is put back.
    """
    with _ONE_AT_A_TIME, unreplaced() if guarded else nullcontext():
        here = _here()
        try:
            with redirect_stdout(sys.stderr):
                yield
        finally:
            if here and here != _here():
                with suppress(OSError):
                    os.chdir(here)


@contextmanager
def unreplaced() -> Iterator[None]:
    """Keep `SHARED` as it is.

    Raises:
        RuntimeError: a part of it was replaced; it is put back.
    """
    before = [(each, dict(vars(each))) for each in SHARED]
    try:
        yield
    finally:
        replaced = [name for each, parts in before for name in _put_back(each, parts)]
    if replaced:
        raise RuntimeError(f"it replaces {', '.join(replaced)}")


def _here() -> Path | None:
    try:
        return Path.cwd()
    except OSError:  # it was removed
        return None


def _put_back(owner: Any, parts: dict[str, Any]) -> list[str]:
    """Restore what was replaced; returns the names."""
    now = vars(owner)
    changed = [name for name, part in parts.items() if now.get(name, owner) is not part]
    for name in changed:
        setattr(owner, name, parts[name])
    return [f"{owner.__name__}.{name}" for name in changed]
