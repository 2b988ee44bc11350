"""Names that stand for whole specs, such as a preset's: `deepseek-r1` for `litellm:deepseek-r1`.

An entry point of the kind `aliases` names a function that takes a kind of component and returns
such names with their specs. It is asked only where no component has the name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from mlxlab.core.boundary import Boundary
from mlxlab.core.entries import Entry, of_kind
from mlxlab.core.errors import MlxError, UsageError
from mlxlab.core.spec import Spec

KIND = "aliases"


class Failure(NamedTuple):
    """A source of aliases that failed: its names are not known."""

    source: Entry
    error: MlxError


def aliases_of(
    entries: Iterable[Entry], kind: str, load: Callable[[Entry], Callable[..., Any]]
) -> tuple[dict[str, str], list[Failure]]:
    """The aliases of a kind; the first source wins a name that several give.

    Returns:
        The specs by their names, and the sources that failed.
    """
    found: dict[str, str] = {}
    failed: list[Failure] = []
    for entry in of_kind(entries, KIND):
        try:
            found = {**_asked(load(entry), entry, kind), **found}
        except MlxError as error:
            failed.append(Failure(entry, error))
    return found, failed


def expanded(spec: Spec, stands_for: str) -> Spec:
    """The spec that an alias stands for, with the options that were written after the alias."""
    meant = Spec.parse(stands_for)
    if spec.argument is not None and meant.argument is not None:
        raise UsageError(
            f"'{spec.name}' stands for {stands_for} and takes no argument, "
            f"but got '{spec.argument}'.",
            f"Write {spec.name} or {spec.name}?key=value.",
        )
    argument = meant.argument if spec.argument is None else spec.argument
    options = {**meant.options, **spec.options}
    return meant.model_copy(update={"argument": argument, "options": options})


def meant_by(
    name: str, entries: Iterable[Entry], kind: str, load: Callable[[Entry], Callable[..., Any]]
) -> tuple[str | None, dict[str, str], list[Failure]]:
    """What a name stands for; no source is asked after the first that has it.

    Returns:
        The spec, None where there is none; all aliases that were seen; the sources that failed.
    """
    seen: dict[str, str] = {}
    failed: list[Failure] = []
    for entry in of_kind(entries, KIND):
        found, wrong = aliases_of([entry], kind, load)
        if name in found:
            return found[name], found, []
        seen, failed = {**found, **seen}, failed + wrong
    return None, seen, failed


def _asked(source: Callable[..., Any], entry: Entry, kind: str) -> Mapping[str, str]:
    """One source's aliases; an MlxError is for the user to read, all else the plugin's fault."""
    who = f"The aliases '{entry.name}' of {entry.distribution} {entry.version}"
    hint = f"Repair or remove '{entry.distribution}'; MLX_DEBUG=1 shows the traceback."
    with Boundary(who, kind, failed="failed", hint=hint):
        return {str(name): str(spec) for name, spec in dict(source(kind)).items()}
