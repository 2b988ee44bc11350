"""What a command has to have and does not. Standard library only."""

from __future__ import annotations

from inspect import getattr_static
from typing import Any

from mlxlab.core.near import misspelt

PARTS = {"configure": "configure(parser)", "run": "run(args)"}


def lacking(command: Any) -> tuple[str, str]:
    """What a command is without, and which names of its own may be misspelt; empty: nothing."""
    missing = [name for name in PARTS if not callable(getattr(command, name, None))]
    own = [name for name in dir(command) if name not in PARTS and _is_callable(command, name)]
    return " and no ".join(PARTS[name] for name in missing), misspelt(missing, own)


def _is_callable(command: Any, name: str) -> bool:
    """Looked up without running a property's code."""
    return callable(getattr_static(command, name, None))
