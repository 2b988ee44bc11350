"""A sandbox under test, whose answers are looked at: another type fails in words."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from inspect import isawaitable
from typing import Any, cast

from mlxlab.core.sandbox import ExecResult, FileEntry, Packages, Sandbox, Snapshot

RETURNS: dict[str, type] = {
    "open": object,
    "run": ExecResult,
    "read": bytes,
    "write": object,
    "remove": object,
    "list": list,
    "snapshot": Snapshot,
    "restore": object,
    "packages": Packages,
    "close": object,
}
"""What each method comes to, as `core.guarded` asks for in a run."""


class Answering:
    """Does what a sandbox does; a check fails where a method returns what it may not.

    Args:
        made: the sandbox.
    """

    def __init__(self, made: object) -> None:
        self._made = made

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._made, name)
        return partial(_asked, name, found) if name in RETURNS and callable(found) else found


def answering(made: Sandbox) -> Sandbox:
    """A sandbox whose answers are looked at."""
    return cast("Sandbox", Answering(made))


def own(sandbox: Sandbox) -> object:
    """What `make` returned, of a sandbox whose answers are looked at."""
    return sandbox._made if isinstance(sandbox, Answering) else sandbox


def _asked(
    name: str, method: Callable[..., object], *arguments: Any, **named: Any
) -> Coroutine[Any, Any, Any]:
    asked = method(*arguments, **named)
    assert isawaitable(asked), f"{name} is not async"
    return _answer(name, asked)


async def _answer(name: str, asked: Awaitable[object]) -> object:
    found = await asked
    wanted = RETURNS[name]
    fits = isinstance(found, wanted)
    assert fits, f"{name} returned {type(found).__name__}, no {wanted.__name__}"
    for entry in found if isinstance(found, list) else ():
        kind = type(entry).__name__
        assert isinstance(entry, FileEntry), f"{name} returned a list with {kind}, no FileEntry"
    return found
