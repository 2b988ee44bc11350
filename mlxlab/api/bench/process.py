"""A worker process as the bench sees it."""

from __future__ import annotations

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from mlxlab.api.bench import wire
from mlxlab.api.bench.treasury import Treasury
from mlxlab.core.errors import BudgetSpent

LAST_WORDS = 1000
"""Bytes of a dead worker's log that are looked at."""
LEAVES_S = 10.0
"""How long a worker that said that it leaves is waited for."""


class WorkerDied(Exception):
    """A worker process ended in the middle of an attempt."""


class WorkerProcess:
    """Started when it is first needed, and again after it has died.

    Args:
        cpus: the processors that it and its runs keep to.
        log: where its standard error goes.
        lock: a descriptor that it inherits.
        treasury: what all runs may spend together.
    """

    def __init__(self, cpus: Sequence[int], log: Path, lock: int, treasury: Treasury) -> None:
        self._cpus = cpus
        self._log = log
        self._lock = lock
        self._treasury = treasury
        self._process: Process | None = None
        self._stopped = False
        self._holds: dict[int, asyncio.Task[None]] = {}
        self.heard = 0
        """How many calls of the current attempt were counted."""

    async def attempt(
        self, order: dict[str, Any], tell: Callable[[wire.Message], None]
    ) -> wire.Message:
        """Have a cell carried out; returns the word on how it ended.

        Raises:
            WorkerDied: the process is gone; the next attempt gets another one.
        """
        self.heard = 0
        try:
            output = await self._started()
            self._send("run", **order)
            if self._stopped:  # while the process was being started
                self._send("stop")
            while data := await output.readline():
                message = wire.read(data)
                if message is None:
                    continue
                if message["kind"] == "ended":
                    if message.get("leaves"):
                        await self.close(LEAVES_S)
                    return message
                if not self._spends(message):
                    tell(message)
            raise WorkerDied(await self._last_words())
        finally:
            for hold in self._holds.values():
                hold.cancel()
            self._holds.clear()

    def stop(self) -> None:
        """Ask it to interrupt its attempt, and every later one."""
        self._stopped = True
        self._send("stop")

    def kill(self) -> None:
        """End it at once, in the middle of whatever it does; its attempt hears of it."""
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.kill()

    async def close(self, within_s: float = 0.0) -> None:
        """End it, and wait: at once, or by itself within so many seconds."""
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        process.stdin.close()
        try:
            async with asyncio.timeout(within_s):
                await process.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _started(self) -> asyncio.StreamReader:
        if self._process is None or self._process.returncode is not None:
            with self._log.open("ab") as log:
                self._process = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-P", "-m", "mlxlab.api.bench.worker"),
                    ",".join(map(str, self._cpus)),
                    stdin=PIPE,
                    stdout=PIPE,
                    stderr=log,
                    pass_fds=[self._lock],
                    start_new_session=True,  # Ctrl-C is for the bench, which tells its workers
                    limit=wire.LONGEST,
                )
        assert self._process.stdout is not None
        return self._process.stdout

    def _spends(self, message: wire.Message) -> bool:
        """Take what concerns the budget; returns whether it did."""
        kind = message["kind"]
        if kind == "hold":
            self._hold(message)
        elif kind == "release":
            if (hold := self._holds.pop(message["number"], None)) is not None:
                hold.cancel()
        elif kind == "spent":
            self.heard += 1
            self._treasury.heard(message)
        return kind in {"hold", "release", "spent"}

    def _hold(self, message: wire.Message) -> None:
        number = message["number"]
        granted: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()

        def answer(future: asyncio.Future[int | None]) -> None:
            if future.cancelled():
                return
            if isinstance(error := future.exception(), BudgetSpent):
                self._send("refused", number=number, why=error.message)
            else:
                self._send("granted", number=number, token_limit=future.result())

        granted.add_done_callback(answer)
        self._holds[number] = asyncio.create_task(self._treasury.hold(message, granted))

    def _send(self, kind: str, **fields: Any) -> None:
        if self._process is not None and self._process.returncode is None:
            assert self._process.stdin is not None
            with suppress(OSError):
                self._process.stdin.write(wire.line(kind, **fields))

    async def _last_words(self) -> str:
        """How it ended, and the last line that it left."""
        assert self._process is not None
        status = await self._process.wait()
        how = f"status {status}"
        if status < 0:
            how = f"signal {-status} ({signal.Signals(-status).name})"
        said = self._log.read_bytes()[-LAST_WORDS:].decode("utf-8", "replace").split("\n")
        last = next((line.strip() for line in reversed(said) if line.strip()), "")
        return f"The worker process ended with {how}." + (f" It said: {last}" if last else "")
