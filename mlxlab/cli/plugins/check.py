"""`mlx plugins check NAME`: load each entry apart, then put it to its suites."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence

from mlxlab.cli.plugins.entry import HOOK, environment, python, words_of, written
from mlxlab.cli.plugins.find import find_entries
from mlxlab.cli.plugins.only import left_out
from mlxlab.cli.plugins.report import LOADS, Report
from mlxlab.cli.plugins.trying import Findings, tried
from mlxlab.core.components import ONE_EACH
from mlxlab.core.entries import COMPONENTS, HOOKS, Entry
from mlxlab.core.errors import UnknownComponent, UsageError
from mlxlab.core.kinds import kind_problem
from mlxlab.core.registry import Registry
from mlxlab.core.spec import Spec
from mlxlab.testing.components.conformance import NEVER_MADE
from mlxlab.testing.kit import Result

TIMEOUT_S = 120.0
"""What loading, and each check, may take."""


def check(
    word: str,
    as_json: bool,
    kind: str | None = None,
    timeout_s: float = TIMEOUT_S,
    only_load: bool = False,
    strict: bool = False,
    only: Sequence[str] = (),
) -> int:
    """Check every entry that a word means; exit status 1 if something fails.

    Args:
        word: a name as `find_entries` takes it, with options as in a spec: `docker?image=x`.
        as_json: print one JSON object, at the end.
        kind: only components of this kind.
        timeout_s: what one check may take.
        only_load: no checks but that it loads.
        strict: whether what cannot be checked here is a failure as well.
        only: ids of checks, or what they begin with; none: all of them.

    Raises:
        UnknownComponent: the word means nothing.
        UsageError: a component does not take the argument or the options, or an id is of no check.
    """
    report = Report(as_json, strict)
    meant = _meant(word, kind)
    without = left_out(only, {entry.kind for entry, _ in meant}) if only else set()
    for entry, spec in meant:
        report.begin(entry, spec)
        loads = load_apart(entry, timeout_s, spec)
        report.hear(loads)
        whole = loads.outcome == "ok" and not only_load
        findings = tried(entry, spec, timeout_s, report.hear, without) if whole else Findings()
        if not (only or only_load):
            findings.left = _of_no_suite(entry) | findings.left
        report.end(entry, spec, loads, findings)
    return report.close()


def _of_no_suite(entry: Entry) -> dict[str, str]:
    """The checks of a kind that mlxlab does not know, as one, with what the kind may be."""
    strange = kind_problem(entry.kind, Registry.installed().entries)
    return {entry.kind: f"kind '{entry.kind}': {strange}"} if strange else {}


def _meant(word: str, kind: str | None) -> list[tuple[Entry, str]]:
    """The entries, each with the spec that makes it."""
    asked = Spec.parse(word)
    front = f"{asked.distribution}::{asked.name}" if asked.distribution else asked.name
    try:
        entries = find_entries(front)
    except UnknownComponent:
        if found := _aliased(word, kind):
            return found
        raise
    fitting = [entry for entry in entries if kind in (None, entry.kind)]
    if not fitting:
        kinds = ", ".join(sorted({entry.kind for entry in entries}))
        raise UnknownComponent(f"'{front}' is no {kind}.", f"It is: {kinds}.")
    for entry in fitting if _has_more(asked) else ():
        if entry.kind in NEVER_MADE:
            raise UsageError(
                f"{entry.kind} '{entry.name}' takes no argument and no options.",
                f"Write {entry.kind}.{entry.name}",
            )
    return [(entry, written(entry, asked)) for entry in fitting]


def _has_more(spec: Spec) -> bool:
    return spec.argument is not None or bool(spec.options)


def _aliased(word: str, kind: str | None) -> list[tuple[Entry, str]]:
    """What a name that stands for a spec means, or kind.name."""
    found, asked = [], Spec.parse(word)
    for each in [kind] if kind else ONE_EACH:
        spec = asked.model_copy(update={"name": asked.name.removeprefix(f"{each}.")})
        try:
            entry, meant = Registry.installed().resolve(each, spec)
        except UnknownComponent:
            continue
        found.append((entry._replace(name=meant.name), str(meant)))
    return found


def load_apart(entry: Entry, timeout_s: float, spec: str = "") -> Result:
    """Load an entry in a fresh interpreter with this one's import path.

    Args:
        entry: what is loaded.
        timeout_s: what it may take.
        spec: how the component is written; its argument and options are looked at, if it has any.

    Raises:
        UsageError: it does not take the argument or the options.
    """
    group = HOOKS if entry.kind == HOOK else COMPONENTS
    more = spec if spec and _has_more(Spec.parse(spec)) else ""
    try:
        done = subprocess.run(
            python("mlxlab.cli.plugins.loading", group, *words_of(entry)[1:], more),
            env=environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="backslashreplace",
            timeout=timeout_s,
        )
    except subprocess.TimeoutExpired:
        return _loads(f"loading took longer than {timeout_s:g} s")
    try:
        answer = json.loads(done.stdout)
        cause, wrong = str(answer["cause"]), answer["wrong"]
    except (ValueError, KeyError, TypeError):
        last = next((line for line in reversed(done.stderr.splitlines()) if line.strip()), "")
        ended = f"it ended the process with status {done.returncode} while loading"
        return _loads(f"{ended}: {last}" if last else ended)
    if wrong:
        raise UsageError(*wrong)
    return _loads(cause)


def _loads(cause: str) -> Result:
    return Result(LOADS, "FAILED" if cause else "ok", "It loads by itself.", cause)
