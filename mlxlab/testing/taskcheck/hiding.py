"""Whether what a task hides is installed: a name with a slip in it hides nothing."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path


def unmatched(hidden: Iterable[str]) -> list[str]:
    """The entries of a task's `hidden` that nothing installed beside mlxlab fits."""
    return [entry for entry in hidden if not _is_there(*entry.partition(":")[::2])]


def _is_there(package: str, inside: str) -> bool:
    try:
        found = find_spec(package)
    except (ImportError, ValueError):  # a name with dots, or no name at all
        return False
    if found is None or not inside:
        return found is not None
    folders = found.submodule_search_locations or ()
    return any(Path(folder, inside).exists() for folder in folders)
