"""What a check of components found, as it comes: lines for people, or one JSON object."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from rich.text import Text

from mlxlab.cli.console import Console
from mlxlab.cli.plugins.trying import Findings
from mlxlab.cli.table import print_json
from mlxlab.cli.text import plain
from mlxlab.core.entries import Entry
from mlxlab.testing.kit import Result

WIDTH = 44
"""Of the ids, nearly all of which are shorter."""
STYLES = {"ok": "green", "gap": "yellow", "FAILED": "bold red"}
LOADS = "loads"
_CASE = re.compile(
    r" at the moment '.*?'|, for .*"
    r"|^(?:it cannot be (?:set up|cleared away)|in another process it fails): (?:AssertionError: )?"
)
"""Of a cause: what it was seen with, which differs from check to check."""
_FAILED = re.compile(r"^PluginError: \w+ '[^']*'[^:]*: (\w+) failed: (.*)\.$")
"""A cause as runs tell it."""


class Report:
    """Tells of results; as JSON only at the end.

    Args:
        as_json: print one JSON object, and nothing else.
        strict: whether what could not be checked is a failure as well.
    """

    def __init__(self, as_json: bool, strict: bool = False) -> None:
        self._json, self._strict = as_json, strict
        self._console = Console(highlight=False)
        self._counts: Counter[str] = Counter()
        self._left: Counter[str] = Counter()
        self._found: list[dict[str, Any]] = []
        self._untried: list[str] = []
        self._causes: Counter[str] = Counter()

    def begin(self, entry: Entry, spec: str) -> None:
        """An entry's checks begin."""
        whose = f"{entry.distribution} {entry.version}"
        self._line(Text.assemble((plain(f"{entry.kind} {spec}"), "bold"), (f"  {whose}", "dim")))

    def hear(self, result: Result) -> None:
        """A check has ended."""
        self._counts[result.outcome] += 1
        if self._told_before(result):
            return
        name = Text(f"  {plain(result.id):<{WIDTH}} ")
        place = f" (at {plain(result.at)})" if result.at else ""
        told = Text(plain(f"{result.outcome:<6} {result.cause}").rstrip() + place)
        told.stylize(STYLES[result.outcome], 0, len(result.outcome))
        self._line(name + told)

    def end(self, entry: Entry, spec: str, loads: Result, findings: Findings) -> None:
        """An entry's checks have ended."""
        for cause, count in self._causes.items():
            if count > 1:
                more = f"{count - 1} more FAILED: same cause ({plain(cause)}); --json names them"
                self._line(Text(f"  {more}", "bold red"))
        self._causes.clear()
        reasons = Counter(findings.left.values())
        self._left += reasons
        for why, count in reasons.items():
            self._line(Text(plain(f"  {count} not checked: {why}"), "yellow"))
        checks = [loads, *findings.results]
        ok = findings.ok if loads.outcome == "ok" else False
        if ok is None:
            self._untried.append(f"{entry.kind} {spec}")
        self._found.append(
            {
                "kind": entry.kind,
                "name": entry.name,
                "distribution": entry.distribution,
                "version": entry.version,
                "spec": spec,
                "ok": ok,
                "cause": next((each.cause for each in checks if each.outcome == "FAILED"), None),
                "not_checked": findings.left,
                "checks": [each._asdict() for each in checks],
            }
        )

    def close(self) -> int:
        """Sum up; returns the exit status."""
        counts = {outcome: self._counts[outcome] for outcome in STYLES}
        left = self._left.total()
        if self._json:
            print_json({"components": self._found, "counts": counts | {"not_checked": left}})
        else:
            total = sum(counts.values())
            parts = [f"{count} {name}" for name, count in counts.items()]
            text = f"{', '.join(parts)} of {total} checks{self._told_left()}."
            self._line(Text(text + self._told_untried(), "bold"))
        return 1 if counts["FAILED"] or (self._strict and left) else 0

    def _told_before(self, result: Result) -> bool:
        """Whether another check of the entry failed with the same cause; it is counted."""
        cause = _FAILED.sub(r"\1 raises \2", _CASE.sub("", result.cause))
        if result.outcome != "FAILED" or not cause:
            return False
        self._causes[cause] += 1
        return self._causes[cause] > 1

    def _told_left(self) -> str:
        """How many checks were not run, with the reason that most of them have."""
        if not self._left:
            return ""
        (why, _), *others = self._left.most_common()
        more = f"; and {len(others)} other reasons" if others else ""
        return f"; {self._left.total()} not checked ({plain(why).rstrip('.')}{more})"

    def _told_untried(self) -> str:
        """Whose promises nothing was found out of."""
        names = plain(", ".join(self._untried))
        return f" Not put to the checks of its kind: {names}." if names else ""

    def _line(self, text: Text) -> None:
        if not self._json:
            self._console.print(text, soft_wrap=True)
