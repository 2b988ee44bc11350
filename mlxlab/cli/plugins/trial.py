"""`python -m mlxlab.cli.plugins.trial KIND NAME TARGET DISTRIBUTION SPEC SUITE IDS`: one suite.

Runs in a process of its own, since the checks are about the component's code: it may hang, and it
may end the process. IDS, by commas, are left out. Each line of the first stdout is one Saying of
JSON; whatever else is printed goes to stderr.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable, Mapping
from typing import Any

from mlxlab.cli.plugins.entry import same
from mlxlab.core.entries import Entry
from mlxlab.core.errors import MlxError, PolicyError, SandboxUnavailable, TaskError, UsageError
from mlxlab.core.registry import Registry
from mlxlab.testing.kit import Conformance, checks_of, run_checks
from mlxlab.testing.kit.checks import FAILURES
from mlxlab.testing.suites import suite_of

NOT_HERE = (UsageError, SandboxUnavailable, TaskError, PolicyError)
"""What says that a component cannot be made on this machine, and not that it is broken."""
ALL = "component"
"""The suite that every component is put to."""
Say = Callable[..., None]


def main(*words: str) -> None:
    """Run the suite, and say what came of each check."""
    kind, name, target, distribution, spec, suite, without = words
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def say(**saying: object) -> None:
        print(json.dumps(saying), file=answers, flush=True)

    entry = same(kind, name, target, distribution)
    try:
        _tried(entry, spec, suite, set(filter(None, without.split(","))), say)
    except NOT_HERE as error:
        say(unmade=" ".join(str(error).split()))
    except FAILURES as error:
        said = str(error) if isinstance(error, MlxError) else _last(error)
        say(failed=" ".join(said.split()))
    # A plugin's threads and exit handlers have no say in the verdict.
    os._exit(0)


def _tried(entry: Entry, spec: str, suite: str, without: set[str], say: Say) -> None:
    found = _of_all(entry, spec) if suite == ALL else _of_kind(entry, spec)
    if found is None:
        say(done=True)
        return
    whole, needs = found
    if needs:
        try:
            Registry.installed().create(entry.kind, spec)
        except NOT_HERE as error:
            without |= needs
            say(unmade=" ".join(str(error).split()))
        except MlxError:  # the checks say it, each in its way
            pass
    elif suite != ALL and entry.kind == "command":
        without |= _running()
    checks = [check for check in checks_of(whole) if check.id not in without]
    say(checks=[check.id for check in checks])
    subject = _said_when_ready(whole, say)
    declared = getattr(entry.entry_point.load(), "known_gaps", {})
    known = {check.id for check in checks}
    gaps = {name: str(why) for name, why in declared.items() if name in known} if (
        isinstance(declared, Mapping)
    ) else {}  # fmt: skip
    for result in run_checks(subject, gaps, without):
        say(result=list(result))
    say(done=True)


def _of_all(entry: Entry, spec: str) -> tuple[type[Conformance], set[str]]:
    """The suite of every component, and the checks that need an instance."""
    from mlxlab.testing.components import ComponentConformance
    from mlxlab.testing.components.conformance import made_for

    whole = type("Checked", (ComponentConformance,), {"kind": entry.kind, "spec": spec})
    return whole, made_for(entry.kind, entry.entry_point.load())


def _of_kind(entry: Entry, spec: str) -> tuple[type[Conformance], set[str]] | None:
    """The suite of its kind, which makes what the spec says; None: there is none."""
    base = suite_of(entry.kind)
    if base is None:
        return None
    if entry.kind == "command":
        return type("Checked", (base,), {"name": spec}), set()
    Registry.installed().create(entry.kind, spec)  # or it says why not

    def make(cls: type) -> Any:
        return Registry.installed().create(entry.kind, spec).instance

    more = {"spec": classmethod(lambda cls: spec)} if entry.kind == "policy" else {}
    return type("Checked", (base,), {"make": classmethod(make), **more}), set()


def _running() -> set[str]:
    from mlxlab.testing.commands import RUNNING

    return {f"command.{name}" for name in RUNNING}


def _said_when_ready(suite: type[Conformance], say: Say) -> type[Conformance]:
    def setup_class(cls: type) -> None:
        inherited = getattr(super(ready, cls), "setup_class", None)
        if inherited is not None:
            inherited()
        say(ready=True)

    ready: type[Conformance] = type("Checked", (suite,), {"setup_class": classmethod(setup_class)})
    return ready


def _last(error: BaseException) -> str:
    return traceback.format_exception_only(error)[-1].strip()


if __name__ == "__main__":
    main(*sys.argv[1:])
