"""Calling what somebody wrote, so that a failure says where it failed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from mlxlab.testing.kit.running import told

T = TypeVar("T")


def called(function: Callable[..., T], *arguments: Any, at: str = "", of: str = "") -> T:
    """What a scaffold's method returns; an exception is told with the moment, or what it is of."""
    try:
        return function(*arguments)
    except Exception as error:
        where = f" at the moment '{at}'" if at else f", for {of}" if of else ""
        name = getattr(function, "__name__", "a method")
        raise AssertionError(f"{name} raises {told(error)}{where}") from error
