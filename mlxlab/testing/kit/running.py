"""Running a suite without pytest."""

from __future__ import annotations

import inspect
import re
import traceback
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Literal, NamedTuple

from mlxlab.core import boundary
from mlxlab.core.entries import OWN
from mlxlab.core.errors import MissingExtra, SandboxUnavailable
from mlxlab.core.places import place_in, written_in
from mlxlab.testing.kit.checks import FAILURES, Check, Conformance, holds, in_order, waits_for

ABSENT = (MissingExtra, SandboxUnavailable)
"""What says that something which a check needs is not on this machine: nothing was found out."""
_CALL = re.compile(r"\b(\w+)(?:\(\))? (?:returned|returns|is|says|gives|raised|raises|took)\b")
Outcome = Literal["ok", "gap", "FAILED", "not checked"]


class Result(NamedTuple):
    """What a check came to.

    `cause` says in a line why it failed, is a gap, or was not made; `at` is the last line of the
    author's that a failure came through, where it came through one.
    """

    id: str
    outcome: Outcome
    promise: str
    cause: str = ""
    at: str = ""


def run_checks(
    suite: type[Conformance],
    gaps: Mapping[str, str] | None = None,
    without: Collection[str] = (),
    own: Path | None = None,
    about: object = None,
    waiting: bool = False,
) -> Iterator[Result]:
    """Run every check of a suite, each on a subject set up for it; yields as they end.

    Its basics come first.

    Args:
        suite: the class.
        gaps: ids of checks that are known to fail, with reasons, beside the suite's own.
        without: ids to leave out.
        own: the folder of the component's package, or its module's file, to say where it failed.
        about: what the entry point names, whose method a failure may tell of.
        waiting: whether the others wait, and are not made, once one of the basics has failed.
    """
    known = {**suite.gaps(), **(gaps or {})}
    subject = suite()
    _call(suite, "setup_class")
    held = ""
    try:
        for check in in_order(suite):
            if held and check.id not in without:
                yield Result(check.id, "not checked", check.promise, held)
            elif check.id not in without:
                error = _failure(subject, check)
                result = _judged(check, error, known)
                if result.outcome == "FAILED" and error is not None and own is not None:
                    place = place_in(error, own) or _told_of(error, result.cause, about, own)
                    result = result._replace(at=place)
                if waiting and result.outcome == "FAILED" and holds(suite, check, known):
                    held = waits_for(check.id)
                yield result
    finally:
        _call(suite, "teardown_class")


def _told_of(error: BaseException, cause: str, about: object, own: Path) -> str:
    """Where the method is written that a failure tells of; a value that is wrong has no frame."""
    if f"{own.name}:" in cause or f"{own.name}/" in cause:  # the check itself has told
        return ""
    calls = [getattr(error, "call", ""), *(found[1] for found in _CALL.finditer(cause))]
    for name in filter(None, calls):
        method = inspect.getattr_static(about, name, None)
        if method is not None and (place := written_in(method, own)):
            return place
    return ""


def _failure(subject: Conformance, check: Check) -> BaseException | None:
    """What the check raised, before or after it too."""
    method = inspect.unwrap(getattr(type(subject), check.method))
    try:
        _call(subject, "setup_method")
        try:
            method(subject)
        finally:
            _call(subject, "teardown_method")
    except FAILURES as error:
        return error
    return None


def _judged(check: Check, error: BaseException | None, known: Mapping[str, str]) -> Result:
    gap = known.get(check.id)
    if lack := absent(error):
        return Result(check.id, "not checked", check.promise, lack)
    if error is None:
        stale = f"a known gap ({gap}) that passes: take it out of known_gaps" if gap else ""
        return Result(check.id, "FAILED" if gap else "ok", check.promise, stale)
    if gap:
        return Result(check.id, "gap", check.promise, gap)
    return Result(check.id, "FAILED", check.promise, cause_of(error))


def absent(error: BaseException | None) -> str:
    """What this machine lacks, in a line, where that is why a check failed; else the empty text."""
    while error is not None and not isinstance(error, ABSENT):
        error = error.__cause__
    return " ".join(str(error).split()) if error is not None else ""


def told(error: BaseException) -> str:
    """What an author's code raised, in a line: the kind of error and its text."""
    said = boundary.cause_of(error)
    return said.removeprefix(f"{_home(error)}.")


def _home(error: BaseException) -> str:
    """The module of ours that an error is defined in, which says nothing to an author."""
    module = type(error).__module__
    return module if module.partition(".")[0] == OWN else ""


def cause_of(error: BaseException) -> str:
    """An error in a line; an assertion's text alone."""
    if isinstance(error, AssertionError) and str(error):
        # pytest adds what the values were, below.
        return " ".join((str(error).rpartition("\nassert ")[0] or str(error)).split())
    if isinstance(error, AssertionError):
        frame = traceback.extract_tb(error.__traceback__)[-1]
        return f"{frame.line or 'assert'} (line {frame.lineno} of {frame.name})"
    return told(error)


def _call(whose: object, name: str) -> None:
    method = getattr(whose, name, None)
    if method is not None:
        method()
