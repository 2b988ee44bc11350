"""Test classes that inherit from a suite: whether all of it will be made."""

from __future__ import annotations

from mlxlab.core.near import misspelt
from mlxlab.testing.kit.checks import Conformance

SLIP = 0.85
"""How alike a name is that was meant to be one that a suite knows; a test class has others too."""
_SAID = ("known_gaps", "leaves", "make")


def unusable(cls: type[Conformance]) -> str:
    """Why a test class would leave checks out, or not heed what it says; empty: it is sound."""
    name = cls.__name__
    lacking = sorted(getattr(cls, "__abstractmethods__", ()))
    own = [each for each in vars(cls) if not each.startswith("test_")]
    if lacking:
        told = f"{name} has no {', no '.join(lacking)}, so that none of its checks could be made."
        return f"{told} {misspelt(lacking, own)}".rstrip()
    new = [each for each in own if not any(each in vars(base) for base in cls.__mro__[1:])]
    known = [each for each in (*cls.declarable, *_SAID) if each not in own]
    hint = misspelt(known, new, SLIP)
    return f"{name}: {hint[0].lower()}{hint[1:]}" if hint else ""


def uncollected(name: str) -> str:
    """What to say of a suite that pytest does not take for a test class."""
    return f"{name} is no name for a test class, so that none of its checks are made: Test{name}?"
