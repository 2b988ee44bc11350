"""`python -m mlxlab.cli.plugins.loading GROUP NAME TARGET DISTRIBUTION SPEC`: load one entry.

Runs in a process of its own, since loading is the plugin's code. The verdict is one line of JSON
on the first stdout; what the plugin prints goes to stderr. SPEC, unless it is empty, is what the
user wrote of a component, with argument or options: `wrong` says what it does not take.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import pluggy

from mlxlab.cli.failure import place_of
from mlxlab.cli.plugins.hints import hint_here
from mlxlab.core.boundary import cause_of
from mlxlab.core.entries import HOOKS, Entry, advertised
from mlxlab.core.errors import PluginError, UsageError
from mlxlab.core.lacking import lacking
from mlxlab.core.loading import loaded, mispointed, module_named
from mlxlab.core.registry import Registry, config_model


def main(group: str, name: str, target: str, distribution: str, spec: str) -> None:
    """Load the entry and say what came of it."""
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    fitting = [
        entry
        for entry in advertised(group)
        if (entry.entry_point.name, entry.target, entry.distribution)
        == (name, target, distribution)
    ]
    wrong = None
    try:
        cause = _problem(group, fitting[0])
        wrong = _wrong(fitting[0], spec) if spec and not cause else None
    except BaseException as error:
        cause = _told(error, fitting[0])
    print(json.dumps({"cause": cause, "wrong": wrong}), file=answer, flush=True)
    # A plugin's threads and exit handlers have no say in the verdict.
    os._exit(0)


def _problem(group: str, entry: Entry) -> str:
    target = loaded(entry)
    if group == HOOKS:
        return _unhooked(target)
    return _misshapen(entry, target)


def _wrong(entry: Entry, spec: str) -> tuple[str, str] | None:
    """What is wrong with an argument or options, and what to do; None if nothing is."""
    try:
        Registry.installed().check(entry.kind, spec)
    except UsageError as error:
        return error.message, hint_here(entry, error.hint)
    return None


def _unhooked(target: Any) -> str:
    """What is wrong with a hook module; the empty text if nothing is."""
    from mlxlab.core.hooks import Hooks, HookSpecs

    Hooks().register(target)
    marks = pluggy.PluginManager("mlxlab").parse_hookimpl_opts
    bare = [name for name in dir(target) if hasattr(HookSpecs, name) and not marks(target, name)]
    bare = [name for name in bare if name.startswith("mlx_")]
    if bare:
        return f"{', '.join(bare)}: not registered without @hookimpl"
    return "" if any(marks(target, name) for name in dir(target)) else "no function has @hookimpl"


def _told(error: BaseException, entry: Entry) -> str:
    """A failure in a line: the plugin's own, where it is one, since its owner is known."""
    if isinstance(error, PluginError) and error.__cause__ is None:
        return f"{error}{place_of(error)}"
    whose = error.__cause__ if isinstance(error, PluginError) else None
    named = mispointed(entry, whose)
    return f"{cause_of(whose or error)}{named and f'. {named}'}{place_of(error)}"


def _misshapen(entry: Entry, target: Any) -> str:
    """What is wrong with a component before it is made; the empty text if nothing is."""
    if entry.kind == "command":
        missing, hint = lacking(target, entry.target)
        return f"it has no {missing}. {hint}".rstrip(". ") if missing else ""
    if named := module_named(entry, target):
        return named
    if not callable(target):
        return f"it is a {type(target).__name__}, neither a class nor a function"
    config_model(target)
    return ""


if __name__ == "__main__":
    main(*sys.argv[1:])
