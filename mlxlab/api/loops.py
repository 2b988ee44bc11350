"""Driving a coroutine to its end from synchronous code, beside a running loop too."""

from __future__ import annotations

import asyncio
import contextvars
import signal
import threading
from collections.abc import Coroutine, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from typing import Any, Generic, TypeVar

from mlxlab.core.loops import run_loop

T = TypeVar("T")


def finish(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end, in a thread of its own where a loop runs already.

    Raises:
        KeyboardInterrupt: Ctrl-C, after the coroutine was cancelled and put its things in order;
            a second one does not wait for that.
    """
    return _Beside(work).result() if _running() else _alone(work)


def _running() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _alone(work: Coroutine[Any, Any, T]) -> T:
    try:
        return run_loop(work)
    except KeyboardInterrupt as interrupt:
        _keep_notes(interrupt, interrupt.__context__)
        raise


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let Ctrl-C interrupt a wait in the main thread, whatever the loop made of it."""
    main = threading.current_thread() is threading.main_thread()
    before = signal.getsignal(signal.SIGINT)
    if not main or before in (signal.SIG_IGN, None):
        yield
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _keep_notes(interrupt: KeyboardInterrupt, cancelled: BaseException | None) -> None:
    """Let the interrupt say what the cancelled coroutine wanted to say."""
    for note in getattr(cancelled, "__notes__", []):
        interrupt.add_note(note)


class _Beside(Generic[T]):
    """A coroutine in a loop and a thread of its own, as notebooks need it."""

    def __init__(self, work: Coroutine[Any, Any, T]) -> None:
        self._work = work
        self._ended: Future[T] = Future()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[T] | None = None
        self._interrupted = False
        # With the context of the cell, so that what is printed appears below it.
        context = contextvars.copy_context()
        self._thread = threading.Thread(target=context.run, args=(self._drive,), name="mlxlab run")

    def result(self) -> T:
        self._thread.start()
        with _interruptible():
            try:
                return self._ended.result()
            except KeyboardInterrupt as interrupt:
                self._interrupted = True
                if self._loop is not None and self._task is not None:
                    with suppress(RuntimeError):  # it ended at this moment
                        self._loop.call_soon_threadsafe(self._task.cancel)
                self._thread.join()
                _keep_notes(interrupt, self._ended.exception())
                raise

    def _drive(self) -> None:
        try:
            self._ended.set_result(run_loop(self._watched()))
        except BaseException as error:  # whatever it is, it is raised where the result is awaited
            self._ended.set_exception(error)

    async def _watched(self) -> T:
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.ensure_future(self._work)
        if self._interrupted:  # before there was a task that could be cancelled
            self._task.cancel()
        return await self._task
