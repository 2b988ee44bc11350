"""Which entries a word on the command line means."""

from __future__ import annotations

from mlxlab.core.entries import (
    COMPONENTS,
    HOOKS,
    Entry,
    disabled,
    installed,
    misgrouped,
    without_kind,
)
from mlxlab.core.errors import UnknownComponent
from mlxlab.core.kinds import kindless
from mlxlab.core.near import did_you_mean


def find_entries(word: str) -> list[Entry]:
    """The entries of a name, kind.name, distribution::name or distribution; never none.

    Raises:
        UnknownComponent: nothing fits; disabled plugins do not.
    """
    entries = [*installed(COMPONENTS), *installed(HOOKS)]
    found = [entry for entry in entries if word in _words(entry)]
    if found:
        return found
    _refuse_kindless(word, entries)
    known = sorted({word for entry in entries for word in _words(entry)})
    hint = misgrouped(word.rpartition("::")[2]) or did_you_mean(
        word, known, "'mlx plugins list' shows what there is."
    )
    raise UnknownComponent(f"Nothing installed is called '{word}'.", hint)


def _refuse_kindless(word: str, entries: list[Entry]) -> None:
    """Tell of a component that nothing finds, since its entry point says no kind."""
    off = disabled()
    for entry in without_kind():
        named = word in _words(entry) or word.partition(".")[2] == entry.name
        if named and not off & {entry.distribution, entry.name}:
            raise UnknownComponent(kindless(entry, entries))


def _words(entry: Entry) -> set[str]:
    return {
        entry.name,
        f"{entry.kind}.{entry.name}",
        f"{entry.distribution}::{entry.name}",
        entry.distribution,
    }
