"""An entry told to another process, and found there again."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from mlxlab.core import places
from mlxlab.core.entries import COMPONENTS, HOOKS, Entry, advertised
from mlxlab.core.spec import Spec

HOOK = "hook"


def words_of(entry: Entry) -> tuple[str, ...]:
    """The words that `same` takes."""
    return entry.kind, entry.entry_point.name, entry.target, entry.distribution


def same(kind: str, name: str, target: str, distribution: str) -> Entry:
    """The entry that was told; it is installed here too."""
    return next(
        entry
        for entry in advertised(HOOKS if kind == HOOK else COMPONENTS)
        if words_of(entry) == (kind, name, target, distribution)
    )


def files_of(entry: Entry) -> Path | None:
    """The folder of a loaded entry's package, or its module's file; None where it has none."""
    module = entry.target.partition(":")[0]
    # All of mlxlab would be the checks as well.
    return places.files_of(module) if entry.builtin else places.package_of(module)


def written(entry: Entry, asked: Spec) -> str:
    """How an entry is written with the argument and options that were asked for."""
    whose = None if entry.builtin else entry.distribution
    return str(asked.model_copy(update={"name": entry.name, "distribution": whose}))


def python(module: str, *words: str) -> list[str]:
    """The command that runs one of our modules."""
    return [sys.executable, "-P", "-m", module, *words]


def environment() -> dict[str, str]:
    """This process's, with its import path."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
