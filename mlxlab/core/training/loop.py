"""An event loop in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

from mlxlab.core.watch import watched_loop

P = ParamSpec("P")
T = TypeVar("T")


class Threads(ThreadPoolExecutor):
    """Threads for blocking work; at the interpreter's end, when none may begin, it is done here."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """As its parent does, at any time."""
        try:
            return super().submit(fn, *args, **kwargs)
        except RuntimeError:
            done: Future[T] = Future()
            try:
                done.set_result(fn(*args, **kwargs))
            except BaseException as error:
                done.set_exception(error)
            return done


async def _watched() -> None:
    """Have the loop looked after until it ends: what keeps it is told, and ends the training."""
    with watched_loop():
        await asyncio.Event().wait()


class LoopThread:
    """A running event loop; the thread does not keep the interpreter from ending.

    Args:
        threads: how many things its coroutines may do in threads at one time.
    """

    def __init__(self, name: str, threads: int) -> None:
        self.loop = asyncio.new_event_loop()
        self._threads = Threads(threads, thread_name_prefix=name)
        self.loop.set_default_executor(self._threads)
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()
        self._watched = self.start(_watched())

    def start(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Begin something in the loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop)

    def stop(self) -> None:
        """End the loop and its threads, once what it does has been cancelled."""
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self._threads.shutdown()
        self.loop.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()
        left = asyncio.all_tasks(self.loop)
        for task in left:
            task.cancel()
        self.loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())
