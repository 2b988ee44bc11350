"""`python -m mlxlab.cli.plugins.trial KIND NAME TARGET DISTRIBUTION SPEC SUITE IDS`: one suite.

Runs in a process of its own, since the checks are about the component's code: it may hang, and it
may end the process. IDS, by commas, are left out. Each line of the first stdout is one Saying of
JSON; whatever else is printed goes to stderr.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any

from mlxlab import testing
from mlxlab.cli.plugins.entry import files_of, same
from mlxlab.cli.plugins.hints import in_a_line
from mlxlab.core.boundary import cause_of
from mlxlab.core.entries import Entry
from mlxlab.core.errors import MlxError, PolicyError, SandboxUnavailable, TaskError, UsageError
from mlxlab.core.loading import loaded
from mlxlab.core.places import place_in
from mlxlab.core.registry import Registry
from mlxlab.core.spec import Spec
from mlxlab.testing.commands import RUNNING
from mlxlab.testing.components.conformance import NEVER_MADE, made_for
from mlxlab.testing.kit import Conformance, in_order, run_checks
from mlxlab.testing.kit.checks import FAILURES, holds
from mlxlab.testing.kit.declared import attributes_of, gaps_of
from mlxlab.testing.suites import suite_of

NOT_RUN = "A command is run where its `conformance` gives `arguments` that do no harm."
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

    # As it is before the plugin is loaded here: what that changes is looked for in another process.
    testing.ComponentConformance.environment = dict(os.environ)
    testing.CommandConformance.environment = dict(os.environ)
    entry = same(kind, name, target, distribution)
    try:
        _tried(entry, spec, suite, set(filter(None, without.split(","))), say)
    except FAILURES as error:
        said = str(error) if isinstance(error, MlxError) else cause_of(error)
        own = files_of(entry)
        say(failed=" ".join(said.split()), at=place_in(error, own) if own else "")
    # A plugin's threads and exit handlers have no say in the verdict.
    os._exit(0)


def _tried(entry: Entry, spec: str, suite: str, without: set[str], say: Say) -> None:
    base = testing.ComponentConformance if suite == ALL else suite_of(entry.kind)
    if base is None:
        say(done=True)
        return
    ahead = [check.id for check in in_order(base) if check.id not in without]
    checks = set(ahead)
    say(checks=ahead)
    if not checks:
        say(done=True)
        return
    target = loaded(entry)
    made, why = _made(entry, spec, target, suite)
    whole = _of_all(entry, spec) if suite == ALL else _of_kind(entry, spec, base, made)
    left = checks & _impossible(entry, whole, target, why)
    if left:
        say(left=sorted(left), why=why or NOT_RUN)
    if checks - left:
        gaps = gaps_of(made, whole)
        ready = _said_when_ready(whole, {**whole.gaps(), **gaps}, say)
        _run(entry, target, ready, gaps, without | left, say)
    say(done=True)


def _run(
    entry: Entry,
    target: object,
    suite: type[Conformance],
    gaps: dict[str, str],
    without: set[str],
    say: Say,
) -> None:
    checks = {check.id for check in in_order(suite)} - without
    begun = False
    try:
        for result in run_checks(suite, gaps, without, files_of(entry), target, waiting=True):
            begun = True
            if result.outcome == "not checked":
                say(left=[result.id], why=result.cause)
            else:
                say(result=list(result))
    except NOT_HERE as error:  # as a sandbox without its engine, which is opened first
        if begun:
            raise
        say(left=sorted(checks), why=in_a_line(entry, error))


def _of_all(entry: Entry, spec: str) -> type[Conformance]:
    """The suite of every component."""
    return type("Checked", (testing.ComponentConformance,), {"kind": entry.kind, "spec": spec})


def _of_kind(
    entry: Entry, spec: str, base: type[Conformance], declaring: object
) -> type[Conformance]:
    """The suite of its kind, which makes what the spec says, with what a component says for it."""
    given = attributes_of(declaring, base)
    if entry.kind == "command":
        return type("Checked", (base,), {"name": spec, **given})

    def make(cls: type) -> Any:
        asked = Spec.parse(spec)
        # As small as it can be, as far as the user asks for nothing else.
        options = {**getattr(cls, "options", {}), **asked.options}
        asked = asked.model_copy(update={"options": options})
        return Registry.installed().create(entry.kind, asked).instance

    more = {"spec": classmethod(lambda cls: spec)} if entry.kind == "policy" else {}
    return type("Checked", (base,), {"make": classmethod(make), **more, **given})


def _made(entry: Entry, spec: str, target: object, suite: str) -> tuple[object, str]:
    """The component as it is made, and why it cannot be made here; then what makes it instead.

    It is asked for known gaps and `conformance`: either may come with an option, or from a function
    that makes it.
    """
    if entry.kind in NEVER_MADE:
        return target, ""
    try:
        return Registry.installed().create(entry.kind, spec).instance, ""
    except NOT_HERE as error:
        return target, in_a_line(entry, error)
    except MlxError:
        if suite != ALL:
            raise
        return target, ""  # the checks say it, each in its way


def _impossible(entry: Entry, whole: type[Conformance], target: object, why: str) -> set[str]:
    """The checks of a suite that cannot be run here; `why` it cannot be made, if that is so."""
    if issubclass(whole, testing.CommandConformance):
        return {f"command.{name}" for name in RUNNING} if whole.arguments is None else set()
    if not why:
        return set()
    if issubclass(whole, testing.ComponentConformance):
        return made_for(entry.kind, target)
    return {check.id for check in in_order(whole)}


def _said_when_ready(
    suite: type[Conformance], gaps: Mapping[str, str], say: Say
) -> type[Conformance]:
    holding = [check.id for check in in_order(suite) if holds(suite, check, gaps)]

    def setup_class(cls: type) -> None:
        inherited = getattr(super(ready, cls), "setup_class", None)
        if inherited is not None:
            inherited()
        say(ready=holding)

    ready: type[Conformance] = type("Checked", (suite,), {"setup_class": classmethod(setup_class)})
    return ready


if __name__ == "__main__":
    main(*sys.argv[1:])
