"""Test classes that inherit from a suite: whether all of it will be made."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from mlxlab.core.near import misspelt
from mlxlab.testing.kit.checks import Conformance
from mlxlab.testing.kit.declared import CONFORMANCE

SLIP = 0.85
"""How alike a name is that was meant to be one that a suite knows; a test class has others too."""
GAPS = "known_gaps"
_SAID = (GAPS, "leaves", "make")


def unusable(cls: type[Conformance]) -> str:
    """Why a test class would leave checks out, or not heed what it says; empty: it is sound."""
    name = cls.__name__
    lacking = sorted(getattr(cls, "__abstractmethods__", ()))
    own = [each for each in vars(cls) if not each.startswith("test_")]
    if lacking:
        told = f"{name} has no {', no '.join(lacking)}, so that none of its checks could be made."
        return f"{told} {misspelt(lacking, own)}".rstrip()
    new = {each: vars(cls)[each] for each in own if not hasattr(super(cls, cls), each)}
    known = [each for each in (*cls.declarable, *_SAID) if each not in own]
    hint = slips(known, new)
    return f"{name}: {hint[0].lower()}{hint[1:]}" if hint else ""


def slips(known: Iterable[str], own: Mapping[str, object]) -> str:
    """Which names of one's own are meant for what a suite asks for; empty: none."""
    told = []
    for name in known:
        looks = _LOOKS.get(name)
        like = [each for each, value in own.items() if looks is None or looks(value)]
        told.append(misspelt([name], like, SLIP))
    return " ".join(filter(None, told))


def _are_gaps(value: object) -> bool:
    ids = list(value) if isinstance(value, Mapping) else []
    return bool(ids) and all(isinstance(each, str) and "." in each for each in ids)


_LOOKS: dict[str, Callable[[object], bool]] = {
    GAPS: _are_gaps,
    CONFORMANCE: lambda value: isinstance(value, Mapping),
}
"""What a value of these looks like: others may have a name that is nearly the same."""


def uncollected(name: str) -> str:
    """What to say of a suite that pytest does not take for a test class."""
    return f"{name} is no name for a test class, so that none of its checks are made: Test{name}?"
