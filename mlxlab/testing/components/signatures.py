"""Whether a method can be called as a protocol says: names, kinds, defaults, async or not.

`isinstance` with a protocol looks at names of methods alone.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from inspect import Parameter
from pathlib import Path
from typing import Any

from mlxlab.core.places import written_in
from mlxlab.testing.components.protocols import members

_ANY = (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)


def differences(
    protocol: type, subject: object, own: Path | None = None, *, optional: bool = False
) -> list[str]:
    """What keeps the methods of an object, or of a class, from being called as a protocol says.

    Args:
        protocol: what is promised.
        subject: an instance, or a class that none could be made of here.
        own: the author's package, to say where a method is written.
        optional: whether a method may be absent.
    """
    found = []
    for name in members(protocol):
        promised = inspect.getattr_static(protocol, name, None)
        if not inspect.isfunction(promised):
            continue
        method = getattr(subject, name, None)
        if method is None and optional:
            continue
        why = "it is not there" if method is None else _difference(promised, _bare(subject, name))
        if why:
            place = written_in(method, own) if own else ""
            told = f"{name} ({place})" if place else name
            found.append(f"{told}: {why}; expected {written(promised)}")
    return found


def written(promised: Callable[..., Any]) -> str:
    """A method as a protocol writes it, without self and annotations."""
    bare = [each.replace(annotation=Parameter.empty) for each in _parameters(promised, True)]
    word = "async def" if inspect.iscoroutinefunction(promised) else "def"
    return f"{word} {promised.__name__}{inspect.Signature(bare)}"


def _bare(subject: object, name: str) -> tuple[Any, bool]:
    """A method, and whether its first parameter is still to be bound."""
    if inspect.isclass(subject):
        return getattr(subject, name), inspect.isfunction(inspect.getattr_static(subject, name))
    return getattr(subject, name), False


def _difference(promised: Callable[..., Any], method: tuple[Any, bool]) -> str:
    function, unbound = method
    if not callable(function):
        return f"it is a {type(function).__name__}"
    if inspect.iscoroutinefunction(promised) != _is_async(function):
        return "it is not async" if inspect.iscoroutinefunction(promised) else "it is async"
    try:
        found = _parameters(function, unbound)
    except (TypeError, ValueError) as error:
        return f"its signature cannot be read: {error}"
    return _mismatch(_parameters(promised, True), found)


def _mismatch(wanted: list[Parameter], found: list[Parameter]) -> str:
    if {Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD} <= {each.kind for each in found}:
        return ""
    own = [each for each in found if each.kind not in _ANY]
    for place, one in enumerate(wanted):
        other = own[place] if place < len(own) else None
        if other is None:
            return f"it takes no {one.name}"
        if other.name != one.name:
            return f"its parameter {place + 1} is {other.name}, not {one.name}"
        if other.kind is not one.kind:
            return f"{one.name} is {other.kind.description}, not {one.kind.description}"
        if one.default is not Parameter.empty and not _same(one.default, other.default):
            said = "no" if other.default is Parameter.empty else f"another ({other.default!r})"
            return f"{one.name} has {said} default"
    more = [each.name for each in own[len(wanted) :] if each.default is Parameter.empty]
    return f"it needs {more[0]} besides" if more else ""


def _same(one: object, other: object) -> bool:
    try:
        return bool(one == other)
    except Exception:
        return False


def _parameters(function: Callable[..., Any], unbound: bool) -> list[Parameter]:
    return list(inspect.signature(function).parameters.values())[int(unbound) :]


def _is_async(function: Any) -> bool:
    return inspect.iscoroutinefunction(inspect.unwrap(getattr(function, "func", function)))
