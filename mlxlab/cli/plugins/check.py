"""`mlx plugins check NAME`: load each entry in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass

from mlxlab.cli.plugins.find import find_entries
from mlxlab.cli.table import Column, print_json, print_table
from mlxlab.core.entries import COMPONENTS, HOOKS, Entry

TIMEOUT_S = 60.0


@dataclass(frozen=True)
class Verdict:
    """Whether an entry loads, and why not."""

    ok: bool
    cause: str = ""


def check(word: str, as_json: bool, timeout_s: float = TIMEOUT_S) -> int:
    """Check every entry that a word means; exit status 1 if one fails."""
    verdicts = [(entry, load_apart(entry, timeout_s)) for entry in find_entries(word)]
    if as_json:
        print_json([_object(entry, verdict) for entry, verdict in verdicts])
    else:
        columns = (Column("COMPONENT"), Column("FROM"), Column("RESULT"), Column("CAUSE"))
        print_table(columns, [_cells(entry, verdict) for entry, verdict in verdicts])
    return 0 if all(verdict.ok for _, verdict in verdicts) else 1


def load_apart(entry: Entry, timeout_s: float) -> Verdict:
    """Load an entry in a fresh interpreter with this one's import path."""
    group = HOOKS if entry.kind == "hook" else COMPONENTS
    module = "mlxlab.cli.plugins.loading"
    words = (group, entry.entry_point.name, entry.target, entry.distribution)
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", module, *words],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="backslashreplace",
            timeout=timeout_s,
        )
    except subprocess.TimeoutExpired:
        return Verdict(False, f"loading took longer than {timeout_s:g} s")
    try:
        answer = json.loads(done.stdout)
        return Verdict(bool(answer["ok"]), str(answer["cause"]))
    except (ValueError, KeyError, TypeError):
        last = next((line for line in reversed(done.stderr.splitlines()) if line.strip()), "")
        ended = f"it ended the process with status {done.returncode} while loading"
        return Verdict(False, f"{ended}: {last}" if last else ended)


def _object(entry: Entry, verdict: Verdict) -> dict[str, object]:
    return {
        "kind": entry.kind,
        "name": entry.name,
        "distribution": entry.distribution,
        "version": entry.version,
        "ok": verdict.ok,
        "cause": verdict.cause or None,
    }


def _cells(entry: Entry, verdict: Verdict) -> list[str]:
    whose = f"{entry.distribution} {entry.version}"
    return [f"{entry.kind}.{entry.name}", whose, "ok" if verdict.ok else "FAILED", verdict.cause]
