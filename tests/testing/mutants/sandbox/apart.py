"""Sandboxes that keep nothing apart: from the host, from the last execution, from each other."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

from mlxlab.core.records import Limits
from mlxlab.core.sandbox import ExecRequest, ExecResult, OnOutput, SandboxSetup
from mlxlab.sandboxes.local import LocalConfig
from tests.testing.mutants.sandbox.joints import Make, Mutant, Real, wrapping
from tests.testing.mutants.sandbox.limits import IN_THE_WORKSPACE


class Unconfined(Mutant):
    """Promises everything and keeps nothing apart."""

    over = LocalConfig(isolation="none")

    def __init__(self, real: Real) -> None:
        super().__init__(real)
        promised = Real(LocalConfig()).isolation
        self.isolation = promised.model_copy(update={"user": True})


class SharedQueues(Unconfined):
    """The host's message queues are the code's."""

    names: ClassVar[set[str]] = set()

    async def run(
        self, request: ExecRequest, limits: Limits, on_output: OnOutput | None = None
    ) -> ExecResult:
        self.names.update(request.args[:1])
        return await self.real.run(request, limits, on_output)

    async def undo(self) -> None:
        for name in self.names:
            ctypes.CDLL("librt.so.1").mq_unlink(f"/{name}".encode())


class Careless(Mutant):
    """Starts a process in the workspace, and cares for nothing else."""

    async def run(
        self, request: ExecRequest, limits: Limits, on_output: OnOutput | None = None
    ) -> ExecResult:
        command = request.command or (sys.executable, request.script or "", *request.args)
        output = self.real.root.parent / "output"
        with output.open("wb") as stream:
            process = await asyncio.create_subprocess_exec(
                *command, cwd=self.real.root, stdout=stream, stderr=stream
            )
        ended = await process.wait()
        said = output.read_text()
        output.unlink()
        outcome = "exited" if ended >= 0 else "killed"
        return ExecResult(outcome=outcome, exit_code=ended, stdout=said, stderr="", duration_s=0.1)

    async def undo(self) -> None:
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if process.joinpath("cwd").samefile(self.real.root):
                    os.kill(int(process.name), signal.SIGKILL)


class Shielded(Mutant):
    """Lets a cancelled execution run on."""

    running: asyncio.Task[ExecResult] | None = None

    async def run(
        self, request: ExecRequest, limits: Limits, on_output: OnOutput | None = None
    ) -> ExecResult:
        self.running = asyncio.create_task(self.real.run(request, limits, on_output))
        return await asyncio.shield(self.running)

    async def undo(self) -> None:
        if self.running is not None:
            self.running.cancel()
            await asyncio.wait([self.running])


class Swept(Mutant):
    """Clears away what an execution made."""

    async def run(
        self, request: ExecRequest, limits: Limits, on_output: OnOutput | None = None
    ) -> ExecResult:
        before = await self.real.list()
        result = await self.real.run(request, limits, on_output)
        for entry in await self.real.list():
            if entry not in before:
                await self.real.remove(entry.path)
        return result


class Single(Mutant):
    """All of them are the first one."""

    first: ClassVar[Real | None] = None

    def __init__(self, real: Real) -> None:
        type(self).first = self.first or real
        super().__init__(self.first or real)

    async def open(self, setup: SandboxSetup) -> None:
        pass

    async def close(self) -> None:
        pass

    async def undo(self) -> None:
        type(self).first = None


class Undescribed(Mutant):
    """Has no word to say of itself."""

    def __init__(self, real: Real) -> None:
        super().__init__(real)
        self.isolation = real.isolation.model_copy(update={"description": ""})


LEFTOVERS: dict[str, Make] = {
    "nothing_lives_afterwards": Careless,
    "a_commands_children_die_too": Careless,
    "nothing_is_carried_over": wrapping(before=IN_THE_WORKSPACE),
    "no_message_queue_is_carried_over": SharedQueues,
    "the_next_execution_meets_no_other": Careless,
    "the_workspace_stays": Swept,
}
ISOLATION: dict[str, Make] = {
    "files": Unconfined,
    "network": Unconfined,
    "processes_of_the_host": Unconfined,
    "user": Unconfined,
    "the_description_is_honest": Undescribed,
}
