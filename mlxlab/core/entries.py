"""Which components are installed, read from package metadata; nothing is imported.

This module stays free of pydantic and pluggy: `mlx --help` lists commands through it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from importlib.metadata import Distribution, EntryPoint, distributions, entry_points, version
from typing import NamedTuple

COMPONENTS = "mlxlab.components"
HOOKS = "mlxlab"
OWN = "mlxlab"
API = "mlxlab.api"
"""The group in which a distribution says, by an entry's name, which plugin API it is made for."""
API_VERSION = 1
"""The plugin API of this mlxlab; another number is another contract."""
GROUPS = (COMPONENTS, HOOKS, API)
"""The groups of entry points that mlxlab reads."""
ALIKE = 0.85
"""How alike a group, or a name in it, is that was meant to be another one."""


class Entry(NamedTuple):
    """One advertised component: what it is, where it lies, who ships it."""

    kind: str
    name: str
    target: str
    distribution: str
    version: str
    entry_point: EntryPoint

    @property
    def builtin(self) -> bool:
        """Whether mlxlab itself ships it."""
        return self.distribution == OWN


def disabled() -> frozenset[str]:
    """Distributions and hook modules switched off by MLX_DISABLE_PLUGINS=a,b."""
    names = os.environ.get("MLX_DISABLE_PLUGINS", "").split(",")
    return frozenset(name.strip() for name in names if name.strip())


def installed(group: str = COMPONENTS) -> list[Entry]:
    """Every entry of a group that is not disabled, built-ins first, then by distribution and name.

    Names in the components group are `kind.name`; an entry without a kind is left out, since
    nothing could ever ask for it: `without_kind` has it.
    """
    off = disabled()
    return [e for e in advertised(group) if not off & {e.distribution, e.entry_point.name}]


def advertised(group: str = COMPONENTS) -> list[Entry]:
    """As `installed`, with what is disabled too."""
    found = {e[:5]: e for e in map(_entry, entry_points(group=group)) if e.kind and e.name}
    return sorted(found.values(), key=lambda e: (not e.builtin, e.distribution, e.kind, e.name))


def without_kind() -> list[Entry]:
    """What is advertised as a component under no `kind.name`: the kind is empty."""
    found = [e for e in map(_entry, entry_points(group=COMPONENTS)) if not (e.kind and e.name)]
    whole = {e[:5]: e for e in (e._replace(kind="", name=e.entry_point.name) for e in found)}
    return sorted(whole.values(), key=lambda e: (e.distribution, e.name))


def _entry(point: EntryPoint) -> Entry:
    distribution = point.dist.name if point.dist else "?"
    kind, _, name = ("hook", "", point.name) if point.group == HOOKS else point.name.partition(".")
    version = point.dist.version if point.dist else "?"
    return Entry(kind, name, point.value, distribution, version, point)


def misfit(entry: Entry) -> tuple[str, str] | None:
    """Why a distribution is not for this mlxlab's plugin API, with what to do; None: it is.

    Only its metadata is read. One that declares nothing is taken as it is.
    """
    dist = entry.entry_point.dist
    stated = [] if entry.builtin or dist is None else dist.entry_points.select(group=API)
    wanted = sorted({point.name for point in stated})
    if not wanted or str(API_VERSION) in (name.partition(".")[0] for name in wanted):
        return None
    newer = all(name.partition(".")[0].isdecimal() for name in wanted)
    newer = newer and int(wanted[0].partition(".")[0]) > API_VERSION
    what = f"pip install -U {OWN if newer else entry.distribution}"
    return (
        f"needs the plugin API {' or '.join(wanted)}, and this mlxlab {version(OWN)} has "
        f"{API_VERSION}",
        f"Try: {what}, or install a version of '{entry.distribution}' for API {API_VERSION}.",
    )


def strange_groups() -> list[tuple[Distribution, str]]:
    """The groups of installed distributions that look like mlxlab's, and that it never reads.

    For where something is not found: the metadata of all that is installed is read.
    """
    from mlxlab.core.near import nearest  # late, since nothing that is found needs it

    found: dict[tuple[str, str], tuple[Distribution, str]] = {}
    off = disabled()
    for each in distributions():
        for group in sorted({point.group for point in each.entry_points} - {*GROUPS}):
            if each.name and (group.startswith(OWN) or nearest(group, GROUPS, ALIKE)):
                found.setdefault((each.name, group), (each, group))
    return [found[key] for key in sorted(found) if key[0] not in off]


def misgrouped(word: str) -> str:
    """That what a word means stands in a group that mlxlab never reads; empty: nothing does."""
    from mlxlab.core.near import nearest

    told = []
    for each, group in strange_groups():
        names = {point.name for point in each.entry_points.select(group=group)}
        if nearest(word, {each.name, *names, *(name.partition(".")[2] for name in names)}, ALIKE):
            meant = nearest(group, GROUPS) or COMPONENTS
            whose = f"{each.name} {each.version}"
            told.append(f"{whose} has entry points in a group '{group}': did you mean '{meant}'?")
    again = "(after a change of its pyproject.toml: pip install -e . again)"
    return " ".join([*told, again]) if told else ""


def of_kind(entries: Iterable[Entry], kind: str) -> list[Entry]:
    """The entries of one kind."""
    return [entry for entry in entries if entry.kind == kind]
