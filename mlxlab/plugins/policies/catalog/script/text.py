"""Laying out Python: imports merged and sorted, long calls broken over lines."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable

WIDTH = 96
_FROM = re.compile(r"from (\S+) import (.+)")


def dedent(code: str) -> str:
    """A template without its own indentation and outer blank lines."""
    return textwrap.dedent(code).strip("\n")


def fill(template: str, **values: object) -> str:
    """Put values in place of `<name>`; other brackets of the template stay as they are."""
    return re.sub(r"<(\w+)>", lambda mark: str(values[mark[1]]), template)


def imports(lines: Iterable[str]) -> str:
    """Import lines, each once, merged by module: the standard library first."""
    plain, merged = set(), dict[str, set[str]]()
    for line in lines:
        match = _FROM.fullmatch(line)
        if match:
            merged.setdefault(match[1], set()).update(match[2].split(", "))
        else:
            plain.add(line)
    froms = [
        broken(f"from {module} import ({', '.join(sorted(names))})")
        if len(module) + sum(len(name) + 2 for name in names) > WIDTH - 15
        else f"from {module} import {', '.join(sorted(names))}"
        for module, names in merged.items()
    ]
    libraries = [line for line in plain if line.startswith(("import numpy", "import pandas"))]
    own = [line for line in froms if not line.startswith("from sklearn")]
    standard = sorted([*(plain - set(libraries)), *own])
    learned = sorted(line for line in froms if line.startswith("from sklearn"))
    return "\n".join([*standard, "", *sorted(libraries), *learned])


def _arguments(inner: str) -> list[str]:
    """Split at commas that lie in no bracket and no string."""
    found, start, depth, quote = [], 0, 0, ""
    for place, letter in enumerate(inner):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "\"'":
            quote = letter
        elif letter in "([{":
            depth += 1
        elif letter in ")]}":
            depth -= 1
        elif letter == "," and depth == 0:
            found.append(inner[start:place].strip())
            start = place + 1
    return [*found, inner[start:].strip()]


def broken(line: str, indent: str = "") -> str:
    """A line that ends with a bracket, broken at that bracket's commas if it is too long."""
    if len(indent) + len(line) <= WIDTH or line[-1] not in ")]":
        return indent + line
    opening = _opening(line)
    inner = line[opening + 1 : -1].rstrip(", ")
    rows = [broken(part, indent + "    ") + "," for part in _arguments(inner) if part]
    return "\n".join([indent + line[: opening + 1], *rows, indent + line[-1]])


def _opening(line: str) -> int:
    """Where the bracket opens that the line's last character closes."""
    depth = 0
    for place in range(len(line) - 1, -1, -1):
        if line[place] in ")]}":
            depth += 1
        elif line[place] in "([{":
            depth -= 1
            if depth == 0:
                return place
    return 0
