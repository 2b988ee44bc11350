"""One event loop in a thread of its own, which the environments of a process share.

Gymnasium's methods are synchronous and are called from any thread; sandboxes live in an event
loop, and those of one loop share their warm interpreter.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

from mlxlab.core.watch import watching

T = TypeVar("T")
CANCEL_S = 60.0
"""How long an interrupted call may take to put its things in order, in seconds."""


class Background:
    """A running event loop. No signal handler is installed: that is the program's own affair."""

    def __init__(self) -> None:
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._drive, name="mlxlab gym", daemon=True)
        self._thread.start()
        self._ready.wait()

    @property
    def here(self) -> bool:
        """Whether this is the loop's own thread, which must not wait for itself."""
        return threading.current_thread() is self._thread

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine to its end; an interrupt of the wait cancels it and waits for that."""
        ended = threading.Event()

        async def watched() -> T:
            try:
                with watching():
                    return await work
            finally:
                ended.set()

        future = asyncio.run_coroutine_threadsafe(watched(), self._loop)
        try:
            return future.result()
        except BaseException:
            if not ended.is_set():
                future.cancel()
                ended.wait(CANCEL_S)
            raise

    def stop(self) -> None:
        """End the loop and its threads."""
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()

    def _drive(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        self._ready.set()
        await self._over.wait()


class _Shared:
    """The process's loop and who uses it; a forked child begins with none."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Begin anew: a fork copies no threads, and may copy a lock that is held."""
        self.lock = threading.Lock()
        self.users = 0
        self.background: Background | None = None


_shared = _Shared()
os.register_at_fork(after_in_child=_shared.forget)


def join() -> Background:
    """The process's loop, started for its first user; each user calls `leave` once."""
    with _shared.lock:
        if _shared.background is None:
            _shared.background = Background()
        _shared.users += 1
        return _shared.background


def leave() -> None:
    """Give the loop up; the last user ends it."""
    with _shared.lock:
        _shared.users -= 1
        if _shared.users == 0 and _shared.background is not None:
            background, _shared.background = _shared.background, None
            background.stop()
