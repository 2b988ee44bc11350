"""A worker process: carries out one cell after the other, and says how each ended.

python -m mlxlab.api.bench.worker CPU,CPU,...
"""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import suppress
from typing import Any

from mlxlab.api.bench import wire
from mlxlab.api.bench.attempt import Attempt
from mlxlab.api.bench.sharing import Sharing
from mlxlab.core.watch import end_process, set_last_resort, watched_loop

LEAVE_S = 20.0
"""How long an attempt may take to put its things in order when the bench is gone."""


class Worker:
    """Reads orders until the bench ends or says stop."""

    def __init__(self, output: int) -> None:
        self._output = output
        self._registry = Sharing.installed_ones()
        self._attempt: Attempt | None = None
        self._task: asyncio.Task[None] | None = None

    def say(self, kind: str, **fields: Any) -> None:
        """Send a message; to a bench that is gone nothing is said."""
        data = wire.line(kind, **fields)
        with suppress(BrokenPipeError):
            while data:
                data = data[os.write(self._output, data) :]

    async def serve(self) -> None:
        """Work until standard input ends."""
        reader = asyncio.StreamReader(limit=wire.LONGEST)
        loop = asyncio.get_running_loop()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        self.say("ready")
        with watched_loop():
            set_last_resort(self._abandon)
            while data := await reader.readline():
                if (message := wire.read(data)) is not None:
                    self._heard(message)
            await self._leave()

    def _heard(self, message: wire.Message) -> None:
        if message["kind"] == "run":
            self._attempt = Attempt(message, self._registry, self.say)
            self._task = asyncio.create_task(self._attempt.carried_out())
            self._task.add_done_callback(self._over)
        elif message["kind"] == "stop":
            if self._task is not None:
                self._task.cancel()
        elif self._attempt is not None:
            self._attempt.allowance.heard(message)

    def _over(self, task: asyncio.Task[None]) -> None:
        """An attempt may be cancelled before it has begun, and then says nothing itself."""
        if task.cancelled():
            self.say("ended", outcome="interrupted", error=None, again=False)

    def _abandon(self, line: str) -> None:
        """End, with its attempt: its code neither ends nor can be broken off."""
        error = f"{line}."
        if self._attempt is not None:
            self._attempt.abandon(error)
        self.say("ended", outcome="failed", error=error, again=False, leaves=True)
        end_process(1)

    async def _leave(self) -> None:
        """The bench is gone: what runs is interrupted, so that it can be taken up."""
        if self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task], timeout=LEAVE_S)


def main() -> None:
    """Keep standard output for messages, whatever a plugin prints; then serve."""
    cpus = {int(number) for number in sys.argv[1].split(",") if number}
    if cpus and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cpus)
    output = os.dup(1)
    os.dup2(2, 1)
    asyncio.run(Worker(output).serve())
    # A native thread of a library that hangs must not keep the bench's folder locked.
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
