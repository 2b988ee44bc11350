"""`python -m mlxlab.cli.plugins.loading GROUP NAME TARGET DISTRIBUTION`: load one entry.

Runs in a process of its own, since loading is the plugin's code. The verdict is one line of JSON
on the first stdout; what the plugin prints goes to stderr.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from typing import Any

from mlxlab.core.entries import HOOKS, Entry, advertised
from mlxlab.core.errors import PluginError
from mlxlab.core.loading import loaded


def main(group: str, name: str, target: str, distribution: str) -> None:
    """Load the entry and say what came of it."""
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    fitting = [
        entry
        for entry in advertised(group)
        if (entry.entry_point.name, entry.target, entry.distribution)
        == (name, target, distribution)
    ]
    try:
        cause = _problem(group, fitting[0])
    except BaseException as error:
        cause = _told(error)
    print(json.dumps({"ok": not cause, "cause": cause}), file=answer, flush=True)
    # A plugin's threads and exit handlers have no say in the verdict.
    os._exit(0)


def _problem(group: str, entry: Entry) -> str:
    target = loaded(entry)
    if group == HOOKS:
        from mlxlab.core.hooks import Hooks

        Hooks().register(target)
        return ""
    return _misshapen(entry.kind, target)


def _told(error: BaseException) -> str:
    """A failure in a line: the plugin's own, where it is one, since its owner is known."""
    if isinstance(error, PluginError) and error.__cause__ is None:
        return str(error)
    whose = error.__cause__ if isinstance(error, PluginError) else None
    return traceback.format_exception_only(whose or error)[-1].strip()


def _misshapen(kind: str, target: Any) -> str:
    """What is wrong with a component before it is made; the empty text if nothing is."""
    if kind == "command":
        missing = [name for name in ("configure", "run") if not callable(getattr(target, name, 0))]
        return f"it has no {' and no '.join(missing)}" if missing else ""
    if not callable(target):
        return f"it is a {type(target).__name__}, neither a class nor a function"
    from mlxlab.core.registry import config_model

    config_model(target)
    return ""


if __name__ == "__main__":
    main(*sys.argv[1:])
