"""Where a component's code begins and ends: what goes wrong there is named once, with its owner.

Authors raise plain errors. An MlxError is for people already and passes, as being cancelled does.
"""

from __future__ import annotations

import asyncio
import errno
import signal
import threading
import traceback
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext, suppress
from contextvars import copy_context
from inspect import isawaitable
from math import isfinite
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from mlxlab.core import shared, watch
from mlxlab.core.entries import OWN
from mlxlab.core.errors import MlxError, PluginError, broken
from mlxlab.core.mistakes import mistakes

if TYPE_CHECKING:
    from mlxlab.core.records import ComponentRef, Record

SLOW = 12.0
"""How many times the limit it may take to prepare something: data and images are fetched."""
HUGE = 1e100
"""No number that says anything is larger: sums and squares of such ones stay finite."""
MOST_TEXT = 1 << 24
"""Characters that one prompt may have."""
MOST_WORDS = 10_000
"""Characters that a component's reason or message may have."""
_LONGEST_CAUSE = 500
_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS}
_MORE = f"{watch.LIMIT}=SECONDS allows more."
T = TypeVar("T")
R = TypeVar("R", bound="Record")


class Late(PluginError):
    """A component took longer than it may."""


def whose(ref: ComponentRef) -> str:
    """A component by kind, name, distribution and version, if it is of one."""
    return f"{ref.kind} '{ref.name}'" + (f" of {ref.version}" if ref.version else "")


def foreign(who: str) -> bool:
    """Whether a component, as `whose` says it, is another distribution's than mlxlab."""
    return f" of {OWN} " not in who


def cause_of(error: BaseException) -> str:
    """An error's kind and text in one line."""
    text = traceback.format_exception_only(error)[-1]
    if isinstance(error, SyntaxError):  # its own text says where
        text = f"{type(error).__name__}: {error}"
    if isinstance(error, ValidationError):  # its own text is for those who wrote the model
        with suppress(Exception):  # it shows values, which say of themselves what they like
            found = [f"{where}: {said}" if where else said for where, said in mistakes(error)]
            text = f"{type(error).__name__}: {error.title}: {'; '.join(found)}"
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_CAUSE else f"{line[:_LONGEST_CAUSE]} ..."


def about(error: OSError, folder: Path) -> bool:
    """Whether an error tells of a folder that a component was given to write to, or of its disk."""
    if error.errno in _DISK:
        return True
    named = error.filename
    return isinstance(named, str | Path) and Path(named).absolute().is_relative_to(
        folder.absolute()
    )


class Boundary:
    """A component's synchronous code: `with Boundary(whose(ref), "propose"):` around it.

    Args:
        who: the component; see `whose`.
        what: what it was asked for.
        times: how many times the limit it may take.
        failed: how a failure is told; by default "propose failed".
        hint: what to do about it.
        passing: errors that its contract knows; they pass as they are.

    Raises:
        PluginError: the code raised, or took too long.
    """

    __slots__ = ("_foreign", "_going", "_passing", "_times", "_told", "_watch", "_what", "_who")

    def __init__(
        self,
        who: str,
        what: str,
        times: float = 1,
        failed: str = "",
        hint: str = "",
        passing: tuple[type[Exception], ...] = (),
    ) -> None:
        self._passing = passing
        self._who, self._what, self._times = who, what, times
        self._told = f"{who} {failed}" if failed else f"{who}: {what} failed", hint
        self._foreign = foreign(who)  # libraries of a built-in may replace what they like

    def __enter__(self) -> None:
        found = self._watch = watch.current()
        call = f"{self._who}: {self._what}"
        self._going = None if found is None else found.enter(call, self._times)
        if self._foreign:
            shared.enter()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._watch is not None and self._going is not None:
            try:
                self._watch.leave(self._going)
            except watch.Hung as late:  # it was on its way while the call ended
                self._watch.leave(self._going)
                error = late
        if self._foreign and (why := shared.leave()):
            error = error or RuntimeError(why)
        if error is None or isinstance(error, self._passing):
            return
        named = _named(error, self._who, self._what, *self._told, times=self._times)
        if named is not None:
            raise named from error


@asynccontextmanager
async def answering(
    who: str,
    what: str,
    limit_s: float | None = None,
    late: type[MlxError] = Late,
    passing: tuple[type[Exception], ...] = (),
) -> AsyncIterator[None]:
    """Put around what is awaited of a component.

    Args:
        who: the component; see `whose`.
        what: what it was asked for.
        limit_s: how long it may take, in seconds; None: as long as it likes.
        late: what is raised then.
        passing: errors that its contract knows; they pass as they are.

    Raises:
        PluginError: the code raised, or kept the event loop too long.
    """
    call, task = f"{who}: {what}", asyncio.current_task()
    limit = asyncio.timeout(limit_s)
    try:
        with _sharing(who), watch.awaiting(call, task, limit_s):
            async with limit:
                yield
    except passing:
        if not limit.expired():
            raise
        raise late(f"{call} took longer than {limit_s:g} s.", _MORE) from None
    except BaseException as error:
        if limit.expired() and isinstance(error, TimeoutError):
            raise late(f"{call} took longer than {limit_s:g} s.", _MORE) from error
        cancelled = task is not None and task.cancelling() > 0
        if isinstance(error, GeneratorExit) or (
            isinstance(error, asyncio.CancelledError) and cancelled
        ):
            raise
        if (named := _named(error, who, what, f"{call} failed")) is not None:
            raise named from error
        raise


async def apart(who: str, what: str, function: Callable[..., T], *arguments: Any) -> T:
    """A component's synchronous code in a thread that nobody waits for once it is overdue."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[T] = loop.create_future()
    context = copy_context()

    def work() -> None:
        result: Any = None
        failed: BaseException | None = None
        try:
            with Boundary(who, what):
                result = context.run(function, *arguments)
        except BaseException as error:
            failed = error
        with suppress(RuntimeError):  # the loop is closed: nobody waits any longer
            loop.call_soon_threadsafe(_give, answer, result, failed)

    threading.Thread(target=work, name=f"mlxlab {what}", daemon=True).start()
    async with answering(who, what, watch.limit_s() + watch.DEAF_S):
        return await answer


async def awaited(who: str, what: str, found: object) -> Any:
    """What an async method comes to; raises PluginError where it is none."""
    if not isawaitable(found):
        raise broken(who, what, "is not async", f"Write async def {what}(...).")
    return await found


def number_problem(value: object) -> str:
    """What keeps a value from being a number that can be counted with; empty: nothing."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return f"is {type(value).__name__}, no number"
    if not (isfinite(value) and abs(value) <= HUGE):
        return f"is {value:g}"
    return ""


def whole(found: R) -> R:
    """A record as its type says; raises ValidationError where it was made past that."""
    return type(found).model_validate(dict(found))


def kept_text(text: str, most: int = MOST_WORDS) -> str:
    """A text that is recorded for people or an agent: its beginning, where it is too long."""
    return text if len(text) <= most else f"{text[:most]} [... {len(text) - most} more]"


def _give(answer: asyncio.Future[T], result: T, failed: BaseException | None) -> None:
    if answer.done():
        return
    if failed is None:
        answer.set_result(result)
    else:
        answer.set_exception(failed)


def _sharing(who: str) -> AbstractContextManager[None]:
    return shared.unreplaced() if foreign(who) else nullcontext()


def _named(
    error: BaseException, who: str, what: str, failed: str, hint: str = "", times: float = 1
) -> MlxError | None:
    """The error that names its owner; None for one that passes as it is."""
    call = f"{who}: {what}"
    if isinstance(error, watch.Hung) or (
        isinstance(error, BaseExceptionGroup) and error.subgroup(watch.Hung) is not None
    ):
        text = f"{call} took longer than {times * watch.limit_s():g} s."
        return Late(text, _MORE, owner=who, call=what)
    if isinstance(error, MlxError):
        return None
    if isinstance(error, watch.EndsProcess):
        return PluginError(f"{call} called {error}.", hint, owner=who, call=what)
    if isinstance(error, KeyboardInterrupt) and _from_keyboard(error):
        error.add_note(call)
        return None
    return PluginError(f"{failed}: {cause_of(error)}.", hint, owner=who, call=what)


def _from_keyboard(error: KeyboardInterrupt) -> bool:
    """Whether it was Ctrl-C: where that does not raise here, the component itself raised."""
    if threading.current_thread() is not threading.main_thread():
        return False
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        return True
    raised = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    return bool(raised) and raised[-1].f_globals.get("__name__") == "asyncio.runners"
