"""What somebody may have meant by a word that is not known. Standard library only."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(word: str, known: Iterable[str], least: float = 0.6) -> str | None:
    """The known word that comes nearest; capitals do not count, nor whether it is `-` or `_`.

    Args:
        word: what was written.
        known: what could have been meant.
        least: how alike the two have to be, from 0 to 1.
    """
    alike = {_plain(each): each for each in reversed(list(known))}
    found = get_close_matches(_plain(word), alike, 1, least)
    return alike[found[0]] if found else None


def did_you_mean(word: str, known: Iterable[str], otherwise: str = "") -> str:
    """A hint that names the nearest known word, or else another hint."""
    near = nearest(word, known)
    return f"Did you mean '{near}'?" if near is not None else otherwise


def misspelt(missing: Iterable[str], own: Iterable[str], least: float = 0.6) -> str:
    """A hint for each part that is not there and that another one comes near; empty: none does.

    Args:
        missing: names that are not there.
        own: names that are, without those that have to be.
        least: how alike two have to be; see `nearest`.
    """
    there = [name for name in own if not name.startswith("_")]
    near = [(nearest(name, there, least), name) for name in missing]
    return " ".join(f"It has '{had}': did you mean '{name}'?" for had, name in near if had)


def _plain(word: str) -> str:
    return word.casefold().replace("-", "_")
