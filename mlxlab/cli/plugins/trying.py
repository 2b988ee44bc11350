"""Putting an entry to its suites, in processes that may hang or end at any check."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import tempfile
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import IO, Any

from mlxlab.cli.plugins.entry import HOOK, environment, python, words_of
from mlxlab.core.entries import Entry
from mlxlab.testing.kit import Result, checks_of, waits_for
from mlxlab.testing.suites import suite_of

MODULE = "mlxlab.cli.plugins.trial"
COMPONENT = "component"
FIRST = (f"{COMPONENT}.parts_are_there", f"{COMPONENT}.signatures_are_the_protocols")
"""Where one of these fails, all others of the kind say the same in many ways."""
Hear = Callable[[Result], None]


@dataclass
class Findings:
    """What came of an entry's checks; `left` are those that could not be run, and why."""

    results: list[Result] = field(default_factory=list)
    left: dict[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool | None:
        """Whether nothing failed; None where not one check of a suite could be run."""
        if any(result.outcome == "FAILED" for result in self.results):
            return False
        run, left = ({_suite(name) for name in names} for names in (self._run, self.left))
        return None if left - run else True

    @property
    def _run(self) -> list[str]:
        return [result.id for result in self.results]


def tried(
    entry: Entry, spec: str, timeout_s: float, hear: Hear, without: Collection[str] = ()
) -> Findings:
    """Run what every component owes, then the suite of the entry's kind.

    Args:
        entry: what is checked; it loads.
        spec: how it is made.
        timeout_s: what one check may take.
        hear: who is told of each result as it comes.
        without: ids of checks to leave out.
    """
    findings = Findings()
    if entry.kind == HOOK:
        return findings
    for suite in (COMPONENT, entry.kind):
        for each in findings.results:
            if each.id in FIRST and each.outcome == "FAILED":
                why = waits_for(each.id)
                findings.left |= dict.fromkeys(_ids(entry.kind, without), why)
                return findings
        _Suite(entry, spec, suite, timeout_s, hear, findings, without).run()
    return findings


def _ids(kind: str, without: Collection[str]) -> list[str]:
    suite = suite_of(kind)
    return [] if suite is None else [c.id for c in checks_of(suite) if c.id not in without]


class _Suite:
    """One suite, in as many processes as it takes."""

    def __init__(
        self,
        entry: Entry,
        spec: str,
        suite: str,
        timeout_s: float,
        hear: Hear,
        findings: Findings,
        without: Collection[str],
    ) -> None:
        self._words = (*words_of(entry), spec, suite)
        self._suite, self._timeout_s = suite, timeout_s
        self._hear, self._findings = hear, findings
        self._done = set(without)

    def run(self) -> None:
        """Begin again after each check that hung or ended its process."""
        while self._goes_on():
            pass

    def _goes_on(self) -> bool:
        """One process; whether another one has to go on."""
        ahead: list[str] = []
        holding: list[str] | None = None
        with child(*self._words, ",".join(sorted(self._done))) as (process, errors):
            for saying in sayings(process, self._timeout_s):
                if "done" in saying:
                    return False
                if "failed" in saying:
                    when = "set up" if holding is None else "cleared away"
                    cause = f"it cannot be {when}: {saying['failed']}"
                    return self._blame(self._suite, cause, ahead, saying["at"])
                if "checks" in saying:
                    ahead = list(saying["checks"])
                if "left" in saying:
                    self._findings.left |= dict.fromkeys(saying["left"], str(saying["why"]))
                    self._done |= set(saying["left"])
                    ahead = [name for name in ahead if name not in self._findings.left]
                if "ready" in saying:
                    holding = list(saying["ready"])
                if "result" in saying:
                    result = Result(*saying["result"])
                    self._add(result)
                    ahead = [name for name in ahead if name != result.id]
            cause = _cause(process, errors, self._timeout_s)
        if holding is None or not ahead:
            return self._blame(self._suite, cause, ahead)
        name, *others = ahead
        self._blame(name, cause)
        if name in holding:
            self._findings.left |= dict.fromkeys(others, waits_for(name))
            return False
        return bool(others)

    def _blame(self, name: str, cause: str, left: Sequence[str] = (), at: str = "") -> bool:
        """Add a failure; `left` are the checks that it keeps from being run."""
        self._add(Result(name, "FAILED", "", cause, at))
        self._findings.left |= dict.fromkeys(left, cause)
        return False

    def _add(self, result: Result) -> None:
        self._done.add(result.id)
        self._findings.results.append(result)
        self._hear(result)


@contextmanager
def child(*words: str) -> Iterator[tuple[subprocess.Popen[bytes], IO[bytes]]]:
    """A process in a group of its own, all of which is ended with it."""
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            python(MODULE, *words),
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
        )
        try:
            yield process, errors
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            if process.stdout is not None:
                process.stdout.close()


def sayings(process: subprocess.Popen[bytes], timeout_s: float) -> Iterator[dict[str, Any]]:
    """What a child says; ends where it ended, or where it says nothing for too long."""
    assert process.stdout is not None
    pipe = process.stdout.fileno()
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        rest, until = b"", monotonic() + timeout_s
        while selector.select(max(0.0, until - monotonic())):
            if not (chunk := os.read(pipe, 1 << 16)):
                process.wait()
                return
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                yield json.loads(line)
                until = monotonic() + timeout_s


def _suite(name: str) -> str:
    """The suite that a check is of, by the check's id."""
    return name.partition(".")[0]


def _cause(process: subprocess.Popen[bytes], errors: IO[bytes], timeout_s: float) -> str:
    """Why a child said no more."""
    status = process.poll()
    if status is None:
        return f"it took longer than {timeout_s:g} s"
    errors.seek(0)
    said = errors.read().decode(errors="backslashreplace").strip().splitlines()
    ended = f"it ended the process with status {status}"
    return f"{ended}: {said[-1]}" if said and not said[-1].startswith(" ") else ended
