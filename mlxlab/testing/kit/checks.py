"""What a suite consists of: checks with ids, and the gaps that a component declares."""

from __future__ import annotations

import inspect
import sys
from asyncio import CancelledError
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, ClassVar, NamedTuple

FAILURES = (Exception, SystemExit, CancelledError)
"""What a check may fail with: whoever would end or cancel the process that tries it has failed."""
_TEST = "test_"


class Check(NamedTuple):
    """One promise: its stable id, what it says in a line, and the method that tests it."""

    id: str
    promise: str
    method: str


class Conformance:
    """The base of every suite.

    A subclass may declare what its component does not keep, each with the reason:
    `known_gaps = {"sandbox.memory": "no limit on this engine"}`. Such a check has to fail: one that
    passes fails as stale. A subclass has the gaps of its bases too. An id that no suite of the kind
    has is refused when the class is made; one of another suite of the kind is left to that suite,
    so that `known_gaps = Mine.known_gaps` serves each of them.
    """

    prefix: ClassVar[str] = ""
    """What the ids of the suite's checks begin with: the kind of component."""
    basics: ClassVar[tuple[str, ...]] = ()
    """Names of checks that go first. Where one fails the others wait: they would fail for the same
    reason, in many unlike ways."""
    known_gaps: ClassVar[Mapping[str, str]] = {}
    declarable: ClassVar[tuple[str, ...]] = ()
    """The attributes that a component may give its suite by its own `conformance`."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Turn the checks of declared gaps into strict expected failures."""
        super().__init_subclass__(**kwargs)
        checks = {check.id: check for check in checks_of(cls)}
        if unknown := sorted(set(_own_gaps(cls)) - set(checks)):
            _refuse_unknown(cls, unknown)
        for name, reason in cls.gaps().items():
            method = checks[name].method
            # Bare, since a base may have turned it already.
            plain = inspect.unwrap(getattr(cls, method))
            setattr(cls, method, _expected(plain, name, reason))

    @classmethod
    def gaps(cls) -> dict[str, str]:
        """The gaps of this suite's own checks: what the class and its bases declare."""
        found: dict[str, str] = {}
        for base in reversed(cls.__mro__):
            found |= _own_gaps(base)
        known = {check.id for check in checks_of(cls)}
        return {name: reason for name, reason in found.items() if name in known}


def checks_of(suite: type[Conformance]) -> list[Check]:
    """The checks of a suite, in the order of their ids."""
    found = []
    for name, method in inspect.getmembers(suite, inspect.isfunction):
        if name.startswith(_TEST):
            promise = (inspect.getdoc(method) or "").partition("\n")[0]
            found.append(Check(f"{suite.prefix}.{name.removeprefix(_TEST)}", promise, name))
    return sorted(found)


def in_order(suite: type[Conformance]) -> list[Check]:
    """The checks of a suite as they are run: its basics, then the others by their ids."""
    found = checks_of(suite)
    return sorted(found, key=lambda check: rank(suite, check.method))


def rank(suite: type[Conformance], method: str) -> int:
    """Which of the suite's basics a check is; one more than there are for all others."""
    name, basics = method.removeprefix(_TEST), suite.basics
    return basics.index(name) if name in basics else len(basics)


def is_basic(suite: type[Conformance], check: Check) -> bool:
    """Whether the others wait for a check."""
    return rank(suite, check.method) < len(suite.basics)


def holds(suite: type[Conformance], check: Check, gaps: Mapping[str, str]) -> bool:
    """Whether others wait where a check fails: one of the basics, and not for a gap that passes."""
    return is_basic(suite, check) and check.id not in gaps


def waits_for(check: str) -> str:
    """Why others were not made: one of the basics, by its id, has failed."""
    return f"{check} comes first: it failed"


def _own_gaps(cls: type) -> Mapping[str, str]:
    declared: Mapping[str, str] = vars(cls).get("known_gaps", {})
    return declared


def _refuse_unknown(cls: type[Conformance], unknown: list[str]) -> None:
    # Late, since the suites are made with this class.
    from mlxlab.testing.suites import ids_of

    kind = getattr(cls, "kind", "") or cls.prefix.partition(".")[0]
    if nowhere := sorted(set(unknown) - ids_of(kind)):
        raise TypeError(f"{cls.__name__}.known_gaps names no check: {', '.join(nowhere)}")


def _expected(method: Callable[..., None], name: str, reason: str) -> Callable[..., None]:
    @wraps(method)
    def fails(self: Conformance, *args: Any, **kwargs: Any) -> None:
        try:
            method(self, *args, **kwargs)
        except FAILURES:
            if pytest := sys.modules.get("pytest"):
                pytest.xfail(reason)
            raise
        raise AssertionError(f"{name} is a known gap ({reason}), but passes: take it out.")

    return fails
