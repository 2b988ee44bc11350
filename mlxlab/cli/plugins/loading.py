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
        cause = traceback.format_exception_only(error)[-1].strip()
    print(json.dumps({"ok": not cause, "cause": cause}), file=answer, flush=True)
    # A plugin's threads and exit handlers have no say in the verdict.
    os._exit(0)


def _problem(group: str, entry: Entry) -> str:
    loaded = entry.entry_point.load()
    if group == HOOKS:
        from mlxlab.core.hooks import Hooks

        Hooks().register(loaded)
        return ""
    return _misshapen(entry.kind, loaded)


def _misshapen(kind: str, loaded: Any) -> str:
    """What is wrong with a component before it is made; the empty text if nothing is."""
    if kind == "command":
        missing = [name for name in ("configure", "run") if not callable(getattr(loaded, name, 0))]
        return f"it has no {' and no '.join(missing)}" if missing else ""
    if not callable(loaded):
        return f"it is a {type(loaded).__name__}, neither a class nor a function"
    from mlxlab.core.registry import config_model

    config_model(loaded)
    return ""


if __name__ == "__main__":
    main(*sys.argv[1:])
