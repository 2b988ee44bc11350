"""A year later: the clocks and calendars that a component can ask, set ahead for a while."""

from __future__ import annotations

import datetime as calendar
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any
from unittest.mock import patch

_CLOCKS = ("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns")
_SHOWN = {"localtime": 0, "gmtime": 0, "ctime": 0, "strftime": 1, "asctime": 0}
"""By name: the place of the argument without which a function of `time` means now."""
_LATER_S = 365 * 86_400
_LATER = timedelta(seconds=_LATER_S)


@contextmanager
def later(modules: tuple[str, ...] = ()) -> Iterator[None]:
    """Set time ahead in `time` and `datetime`, and where these modules imported names from them.

    Args:
        modules: names of modules or packages, such as a component's own.
    """
    instead = _instead()
    with ExitStack() as stack:
        for holder in (time, calendar, *_loaded(modules)):
            for name, value in list(vars(holder).items()):
                for was, now in instead:
                    if value is was:
                        stack.enter_context(patch.object(holder, name, now))
        yield


def _instead() -> list[tuple[object, object]]:
    pairs: list[tuple[object, object]] = [(date, _LaterDate), (datetime, _LaterDatetime)]
    clocks = {name: _ahead(name) for name in _CLOCKS}
    pairs += [(getattr(time, name), clock) for name, clock in clocks.items()]
    return [*pairs, *((getattr(time, name), _shown(name, at)) for name, at in _SHOWN.items())]


def _loaded(modules: tuple[str, ...]) -> list[Any]:
    """The modules, and what lies below them."""
    return [
        module
        for name, module in list(sys.modules.items())
        if module is not sys.modules[__name__]
        and any(name == own or name.startswith(f"{own}.") for own in modules)
    ]


def _ahead(name: str) -> Callable[[], Any]:
    clock, ahead = getattr(time, name), _LATER_S * (10**9 if name.endswith("_ns") else 1)
    return lambda: clock() + ahead


def _shown(name: str, place: int) -> Callable[..., Any]:
    show, clock, local = getattr(time, name), time.time, time.localtime

    def shown(*given: Any) -> Any:
        if len(given) > place and given[place] is not None:
            return show(*given)
        now: Any = clock() + _LATER_S
        return show(*given[:place], now if name in ("localtime", "gmtime", "ctime") else local(now))

    return shown


class _Alike(type):
    """What is a date remains one, whichever of the two classes is asked."""

    def __instancecheck__(cls, thing: object) -> bool:
        return isinstance(thing, cls.__mro__[1])

    def __subclasscheck__(cls, other: type) -> bool:
        return issubclass(other, cls.__mro__[1])


class _LaterDate(date, metaclass=_Alike):
    """A date whose today is a year from now; what it makes are ordinary dates."""

    def __new__(cls, *given: Any, **named: Any) -> Any:
        return date(*given, **named)

    @classmethod
    def today(cls) -> Any:
        return date.today() + _LATER


class _LaterDatetime(datetime, metaclass=_Alike):
    """A datetime whose now is a year from now; what it makes are ordinary ones."""

    def __new__(cls, *given: Any, **named: Any) -> Any:
        return datetime(*given, **named)

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Any:
        return datetime.now(tz) + _LATER

    @classmethod
    def utcnow(cls) -> Any:
        return datetime.now(UTC).replace(tzinfo=None) + _LATER

    @classmethod
    def today(cls) -> Any:
        return datetime.now() + _LATER
