"""Running a coroutine in a loop of its own, whose end no thread can put off for ever."""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

LINGER_S = 10.0
"""How long work in threads is waited for at the loop's end, in seconds."""
_numbers = itertools.count()
T = TypeVar("T")


class LoopThreads(ThreadPoolExecutor):
    """One loop's threads; those that a component's code never gives back are left behind."""

    def __init__(self) -> None:
        self._name = f"mlxlab loop {next(_numbers)}"
        super().__init__(thread_name_prefix=self._name)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more work in, and wait for what goes on as long as that makes sense."""
        super().shutdown(wait=False, cancel_futures=cancel_futures)
        until = time.monotonic() + LINGER_S
        for thread in threading.enumerate() if wait else ():
            if thread.name.startswith(f"{self._name}_"):
                thread.join(max(0.0, until - time.monotonic()))


def run_loop(work: Coroutine[Any, Any, T]) -> T:
    """As `asyncio.run`, Ctrl-C included."""
    with asyncio.Runner() as runner:
        runner.get_loop().set_default_executor(LoopThreads())
        return runner.run(work)
