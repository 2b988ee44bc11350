"""Open sandboxes, handed from action to action: opening one costs more than many a program."""

from __future__ import annotations

import asyncio
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from mlxlab.core.guarded import GuardedSandbox
from mlxlab.core.planning import Ground
from mlxlab.core.registry import Registry
from mlxlab.core.removal import remove_tree
from mlxlab.core.sandbox import Sandbox, SandboxSetup


@dataclass(frozen=True, eq=False)
class Opened:
    """An open sandbox with the inputs of a task; `task` is the task's spec."""

    task: str
    sandbox: Sandbox
    scratch: Path


class Sandboxes:
    """The open sandboxes of one event loop.

    Args:
        spec: of each sandbox.
        folder: below which they work.
        most: how many may be open; the one that was idle for longest makes room.
        cores: that the code in each may keep busy.
    """

    def __init__(
        self, registry: Registry, spec: str, folder: Path, *, most: int, cores: int
    ) -> None:
        self._registry = registry
        self._spec = spec
        self._folder = folder
        self._most = most
        self._cores = cores
        self._open: set[Opened] = set()
        self._idle: list[Opened] = []
        self._opening = 0
        self.open_s: float | None = None
        """How long the last one took to open, in seconds; None before the first."""

    def has_idle(self, task: str) -> bool:
        """Whether a sandbox of a task is open and free."""
        return any(opened.task == task for opened in self._idle)

    def count(self, task: str) -> int:
        """How many of a task are open, or being opened."""
        return sum(opened.task == task for opened in self._open)

    def idle(self, task: str) -> Opened | None:
        """A free sandbox of a task, the one that was used last; the caller has it from now on."""
        for opened in reversed(self._idle):
            if opened.task == task:
                self._idle.remove(opened)
                return opened
        return None

    async def open(self, task: str, ground: Ground) -> Opened:
        """A new sandbox of a task, which the caller has.

        Raises:
            SandboxError: none can be opened.
        """
        self._opening += 1
        try:
            while self._idle and self._opening + len(self._open) > self._most:
                await self._close(self._idle.pop(self._spare()))
            return await self._opened(task, ground)
        finally:
            self._opening -= 1

    def give_back(self, opened: Opened) -> None:
        """Let the next action have it."""
        self._idle.append(opened)

    async def drop(self, opened: Opened) -> None:
        """Close one that is no good any more."""
        await self._close(opened)

    async def close(self) -> None:
        """Close all of them."""
        self._idle.clear()
        await asyncio.gather(*map(self._close, list(self._open)))

    def _spare(self) -> int:
        """The idle one that makes room: one of several of its task, else the least used lately."""
        several = (at for at, one in enumerate(self._idle) if self.count(one.task) > 1)
        return next(several, 0)

    async def _opened(self, task: str, ground: Ground) -> Opened:
        sandbox = GuardedSandbox(self._registry.create("sandbox", self._spec))
        scratch = Path(tempfile.mkdtemp(dir=self._folder))
        setup = SandboxSetup(
            scratch=scratch, inputs=ground.inputs, hidden=ground.hidden, cores=self._cores
        )
        opened, began = Opened(task, sandbox, scratch), time.monotonic()
        self._open.add(opened)
        try:
            await sandbox.open(setup)
            self.open_s = time.monotonic() - began
        except BaseException:
            await self._close(opened)
            raise
        return opened

    async def _close(self, opened: Opened) -> None:
        self._open.discard(opened)
        with suppress(Exception):  # a broken engine may fail to close too
            await opened.sandbox.close()
        with suppress(OSError):
            remove_tree(opened.scratch)
