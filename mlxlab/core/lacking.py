"""What a command has to have and does not. Standard library only."""

from __future__ import annotations

import sys
from inspect import getattr_static, isroutine
from typing import Any

from mlxlab.core.near import misspelt

PARTS = {"configure": "configure(parser)", "run": "run(args)"}


def lacking(command: Any, target: str = "") -> tuple[str, str]:
    """What a command is without, and which names of its own may be misspelt; empty: nothing.

    Args:
        command: the module or object.
        target: what its entry point names, as `podium.command:run`.
    """
    missing = [name for name in PARTS if not callable(getattr(command, name, None))]
    own = [name for name in dir(command) if name not in PARTS and _is_callable(command, name)]
    hint = _function_named(command, target) or misspelt(missing, own)
    return " and no ".join(PARTS[name] for name in missing), hint


def _function_named(command: Any, target: str) -> str:
    """That an entry point names a function, where what is meant is the module that it is in."""
    module, _, name = target.partition(":")
    if not (name and isroutine(command)):
        return ""
    meant = any(hasattr(sys.modules.get(module), part) for part in PARTS)
    what = f"write {module}" if meant else "name the module or class that has both"
    return f"Its entry point names a function, {target}; {what}."


def _is_callable(command: Any, name: str) -> bool:
    """Looked up without running a property's code."""
    return callable(getattr_static(command, name, None))
