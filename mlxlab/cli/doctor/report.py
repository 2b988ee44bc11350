"""Every check at the same time, each guarded and limited; printed in one table."""

from __future__ import annotations

import sys
import textwrap
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.text import Text

from mlxlab.cli.console import Console
from mlxlab.cli.doctor import checks, trial
from mlxlab.cli.table import print_json
from mlxlab.cli.text import duration, plain
from mlxlab.core.boundary import Boundary
from mlxlab.core.components import Specs
from mlxlab.core.entries import Entry
from mlxlab.core.errors import MlxError
from mlxlab.core.loading import whose_entry
from mlxlab.core.registry import Registry
from mlxlab.core.upkeep import Examine, Finding, listed, offered

QUICK_S = 5.0
_STYLES = {"ok": "green", "missing": "yellow", "failed": "bold red"}


@dataclass
class Check:
    """One look, in a thread that nobody waits for longer than its limit."""

    group: str
    name: str
    look: Examine
    limit_s: float = QUICK_S
    found: list[Finding] = field(default_factory=list)

    def begin(self) -> None:
        """Look; a thread that hangs does not keep the process from ending."""
        self._ends = time.monotonic() + self.limit_s
        self._thread = threading.Thread(target=self._guarded, daemon=True)
        self._thread.start()

    def result(self) -> list[Finding]:
        """What was found, once it is known or the time is up."""
        self._thread.join(max(0.0, self._ends - time.monotonic()))
        if self._thread.is_alive():
            detail = f"no answer within {self.limit_s:.0f} seconds"
            return [Finding(name=self.name, state="failed", detail=detail)]
        return self.found

    def _guarded(self) -> None:
        try:
            self.found = self.look()
        except MlxError as error:
            told = Finding(name=self.name, state="failed", detail=error.message, hint=error.hint)
            self.found = [told]
        except BaseException as error:
            cause = traceback.format_exception_only(error)[-1].strip()
            self.found = [Finding(name=self.name, state="failed", detail=cause)]


def report(out: Path, as_json: bool) -> int:
    """Print what was found; status 0 unless the default sandbox cannot run."""
    began = time.monotonic()
    all_checks = list(_checks(out))
    for check in all_checks:
        check.begin()
    groups: dict[str, list[Finding]] = {}
    for check in all_checks:
        groups.setdefault(check.group, []).extend(check.result())
    works = all(one.state == "ok" for one in groups["sandbox"])
    took = time.monotonic() - began
    if as_json:
        print_json(
            {
                "ok": works,
                "took_s": round(took, 3),
                "findings": [
                    {"group": group, **one.model_dump()}
                    for group, found in groups.items()
                    for one in found
                ],
            }
        )
    else:
        _print(list(groups.values()))
        _print_verdict(works, took)
    return int(not works)


def _checks(out: Path) -> Iterator[Check]:
    yield Check("sandbox", trial.NAME, trial.trial, trial.TIMEOUT_S + QUICK_S)
    yield Check("machine", "Python", checks.python)
    yield Check("machine", "disk", lambda: checks.disk(out))
    brought = list(_brought("sandbox"))
    # What the default sandbox needs is the machine's own; others bring engines of theirs.
    for name, look in brought:
        if name == Specs.sandbox:
            yield Check("machine", name, look)
    for name, look in brought:
        if name != Specs.sandbox:
            yield Check("engines", name, look)
    yield Check("packages", "packages", checks.extras)
    for name, look in _brought("policy"):
        yield Check("keys", name, look)


def _brought(kind: str) -> Iterator[tuple[str, Examine]]:
    """What components bring, each function once; one that cannot be loaded says so."""
    seen: list[object] = []
    for entry, look in offered(Registry.installed(), "examine", kind):
        if look not in seen:
            seen.append(look)
            yield entry.name, _looking(entry, look)


def _looking(entry: Entry, look: Any) -> Callable[[], list[Finding]]:
    """What one component brought; it raises MlxError."""

    def found() -> list[Finding]:
        if isinstance(look, MlxError):
            raise look
        who = whose_entry(entry)
        with Boundary(who, "examine"):
            answer = look()
        return listed(who, "examine", answer, Finding)

    return found


def _print(groups: Sequence[Sequence[Finding]]) -> None:
    console = Console(highlight=False)
    width = max(len(plain(one.name)) for found in groups for one in found)
    room = console.width - width - 11 if console.is_terminal else 0
    for found in groups:
        for one in found:
            lines = _wrapped(one.detail, room)
            state = (f"{one.state:<7}  ", _STYLES[one.state])
            start = Text.assemble((f"{plain(one.name):<{width}}  ", "bold"), state, lines[0])
            console.print(start, soft_wrap=True)
            below = [(line, "") for line in lines[1:]]
            if one.hint and one.state != "ok":
                below += [(line, "cyan") for line in _wrapped(one.hint, room)]
            for line, style in below:
                console.print(Text(" " * (width + 11) + line, style), soft_wrap=True)
        console.print()


def _wrapped(text: str, room: int) -> list[str]:
    """In a terminal broken at words; commands stay whole where they fit."""
    text = plain(text)
    return (textwrap.wrap(text, room, break_long_words=False) if room >= 20 else []) or [text]


def _print_verdict(works: bool, took: float) -> None:
    verdict = "mlx run works here." if works else "mlx run does not work here as it is."
    print(f"{verdict} Looked for {duration(took)}.")
    sys.stdout.flush()
