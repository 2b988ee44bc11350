"""Ctrl-C and SIGTERM: the first stops a run in order, the second at once."""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from mlxlab.cli.failure import INTERRUPTED
from mlxlab.cli.text import plain
from mlxlab.core.loops import run_loop
from mlxlab.core.watch import end_process, kept_by

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
T = TypeVar("T")


@contextmanager
def terminable() -> Iterator[None]:
    """Let SIGTERM, and SIGHUP unless it is ignored, be what Ctrl-C is."""
    with _handling(_ENDING[1:], signal.default_int_handler):
        yield


def run_interruptible(
    work: Coroutine[Any, Any, T], on_first: Callable[[], None], on_second: Callable[[], None]
) -> T:
    """Run a coroutine; a first signal cancels it, a second ends the process with status 130.

    Raises:
        asyncio.CancelledError: interrupted, after the coroutine has put its things in order.
    """
    return run_loop(_watched(work, on_first, on_second))


async def _watched(
    work: Coroutine[Any, Any, T], on_first: Callable[[], None], on_second: Callable[[], None]
) -> T:
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()
    signalled = False

    def handle(number: int, frame: object) -> None:
        # A handler of the interpreter, not of the loop: it works while the loop is busy too.
        nonlocal signalled
        if signalled:
            on_second()
            if who := kept_by():
                print(f"Interrupted in {plain(who)}.", file=sys.stderr, flush=True)
            end_process(INTERRUPTED)
        signalled = True
        loop.call_soon_threadsafe(task.cancel)
        loop.call_soon_threadsafe(on_first)

    with _handling(_ENDING, handle):
        return await task


@contextmanager
def _handling(numbers: Sequence[signal.Signals], handler: Any) -> Iterator[None]:
    """Install a handler where that is possible, in the main thread, and take it back."""
    main = threading.current_thread() is threading.main_thread()
    heard = [n for n in numbers if main and signal.getsignal(n) is not signal.SIG_IGN]
    before = {number: signal.signal(number, handler) for number in heard}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)
