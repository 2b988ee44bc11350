"""What a component may offer beside itself: a sweep after crashes, a look at the machine.

All are optional and found by name: `sweep` and `examine`, on the component itself or in the module
that its entry point names. A third party's component joins in by having them: a sandbox both, a
policy `examine`, a source of aliases `offers`.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from typing import Any, Literal, Protocol, TypeVar

from pydantic import Field

from mlxlab.core.boundary import Boundary, whole
from mlxlab.core.entries import Entry, of_kind
from mlxlab.core.errors import MlxError, broken
from mlxlab.core.loading import whose_entry
from mlxlab.core.records import Record
from mlxlab.core.registry import Registry

R = TypeVar("R", bound=Record)


class Leftover(Record):
    """One thing of mlxlab's outside a run's folder: a container, a process, a folder, a mount."""

    kind: str = Field(description="What it is, in a word.")
    name: str = Field(description="What it is known by: an id, a process number, a path.")
    detail: str = Field("", description="Whose it is, how old.")
    in_use: bool = Field(False, description="Whether its owner lives; then it is left alone.")


class Finding(Record):
    """One line of `mlx doctor`; `hint` says what to do where it is not ok."""

    name: str
    state: Literal["ok", "missing", "failed"]
    detail: str = ""
    hint: str = ""


class Sweep(Protocol):
    """Finds what sandboxes made outside run folders; what is not in use goes if `remove` says so.

    Returns everything found, removed or not. Raises SandboxError where the engine is absent or
    something cannot be removed.
    """

    async def __call__(self, *, remove: bool) -> list[Leftover]:
        """Find, and remove where told."""
        ...


class Examine(Protocol):
    """Tells what there is of what a component needs; called in a thread, for a second or so.

    Keys are named, never shown.
    """

    def __call__(self) -> list[Finding]:
        """Look."""
        ...


def offered(
    registry: Registry, name: Literal["sweep", "examine", "offers"], kind: str = "sandbox"
) -> Iterator[tuple[Entry, Any]]:
    """Every component of a kind that offers something of this name; broken ones offer an error.

    Yields:
        The entry, with the function or with the MlxError that loading it ended in.
    """
    for entry in of_kind(registry.entries, kind):
        try:
            target = registry.load(entry)
            with Boundary(whose_entry(entry), name):
                found = getattr(target, name, None) or _in_module(entry, name)
        except MlxError as error:
            yield entry, error
            continue
        if found is not None:
            yield entry, found


def listed(who: str, what: str, found: object, kind: type[R]) -> list[R]:
    """What one of them returned, checked.

    Args:
        who: the component; see `boundary.whose`.
        what: its function.
        found: what that returned.
        kind: the record that it should be a list of.

    Raises:
        PluginError: it is something else.
    """
    if not isinstance(found, list | tuple):
        raise broken(who, what, f"returned {type(found).__name__}, no list")
    for each in found:
        if not isinstance(each, kind):
            odd = type(each).__name__
            raise broken(who, what, f"returned {odd} in its list, no {kind.__name__}")
    with Boundary(who, what):
        return [whole(each) for each in found]


def _in_module(entry: Entry, name: str) -> Callable[..., Any] | None:
    found = getattr(importlib.import_module(entry.entry_point.module), name, None)
    return found if callable(found) else None
