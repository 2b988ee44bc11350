"""The zygote as the host sees it: started, asked, stopped."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mlxlab.core.errors import SandboxError, SandboxUnavailable
from mlxlab.sandboxes.local import cgroup
from mlxlab.sandboxes.local.cgroup import Group
from mlxlab.sandboxes.local.nursery import START_S, Life, Nursery, readable
from mlxlab.sandboxes.surroundings import variables
from mlxlab.sandboxes.zygote import wire
from mlxlab.sandboxes.zygote.view import PROGRAMS

_LOG_TAIL = 2000


class CannotExecuteError(SandboxError):
    """The kernel refused something that an execution needs, before the program's first line."""


class Engine:
    """One zygote process and the socket that reaches it.

    Args:
        log: the file that the zygote's own output goes to.
    """

    def __init__(self, log: Path) -> None:
        self._log = log
        self._group: Group | None = None
        self._grouped = False
        self._life: Life | None = None
        self._socket: socket.socket | None = None

    @property
    def alive(self) -> bool:
        """Whether the zygote can be asked."""
        return self._life is not None and self._life.lasts

    @property
    def warm(self) -> bool:
        """Whether the zygote has the libraries."""
        return self._life is not None and self._life.warm

    @property
    def pid(self) -> int:
        """The zygote's process; raises SandboxError while there is none.

        No number stands for none: `kill` takes -1 for every process there is.
        """
        if self._life is None:
            raise SandboxError("The local sandbox has no process: it is not open.")
        return self._life.pid

    def limit(self, memory_bytes: int) -> bool:
        """Limit the memory of all that runs below together; False where that cannot be done."""
        return (
            self._group is not None
            and self._grouped
            and self._group.limit(memory_bytes + cgroup.OURS_BYTES)
        )

    @property
    def memory_kills(self) -> int:
        """How many processes the kernel has killed for the sake of that limit."""
        return 0 if self._group is None else self._group.kills

    def join(self, group: Group | None) -> None:
        """Let zygotes be members of a control group from now on."""
        self._group = group

    @property
    def control(self) -> socket.socket:
        """The host's end of the control socket."""
        if self._socket is None:
            raise SandboxError("The sandbox is not open.")
        return self._socket

    async def start(
        self, nursery: Nursery, setup: dict[str, Any], env: dict[str, str]
    ) -> wire.Message:
        """Get a zygote from the nursery and let it hide; returns what it says about itself.

        Raises:
            SandboxUnavailable: the kernel refuses the namespaces.
            SandboxError: it did not start.
        """
        self.stop()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        self._socket = ours
        with theirs, self._log.open("wb") as log:
            self._life = await nursery.zygote(theirs.fileno(), log.fileno(), env)
        self._grouped = self._group is not None and self._group.add(self._life.pid)
        answer = await self._introduce(ours, setup)
        if "failed" in answer:
            self.stop()
            raise SandboxError(f"The sandbox could not be built: {answer['failed']}.")
        if "unavailable" in answer:
            self.stop()
            raise unavailable(answer["unavailable"])
        return answer

    async def _introduce(self, control: socket.socket, setup: wire.Message) -> wire.Message:
        """Send the setup and wait for what the zygote says about itself."""
        try:
            wire.send(control, setup)
            async with asyncio.timeout(START_S):
                await readable(control)
        except (OSError, TimeoutError) as error:
            self.stop()
            raise self.failure("did not start") from error
        except asyncio.CancelledError:
            self.stop()  # half started, it could not be understood later
            raise
        answer, _ = wire.receive(control)
        if answer is None:
            self.stop()
            raise self.failure("ended while it started")
        return answer

    def failure(self, what: str, kind: type[SandboxError] = SandboxError) -> SandboxError:
        """An error that ends in the zygote's own last words."""
        said = ""
        with contextlib.suppress(OSError):
            said = self._log.read_text(errors="replace")[-_LOG_TAIL:].strip()
        return kind(f"The sandbox's parent process {what}.", f"It said: {said}" if said else "")

    def stop(self) -> None:
        """Kill the zygote; everything below it dies with it."""
        if self._life is not None:
            self._life.end()
            self._life = None
        if self._socket is not None:
            self._socket.close()
            self._socket = None


class CannotIsolateError(SandboxUnavailable):
    """The kernel, or somebody's policy, refuses the namespaces."""

    def __init__(self, cause: str, hint: str) -> None:
        super().__init__(
            f"This machine does not let the local sandbox isolate code ({cause}).", hint
        )
        self.cause = cause


def unavailable(cause: str) -> CannotIsolateError:
    """The error for a machine that cannot isolate, with the ways out."""
    return CannotIsolateError(
        cause,
        "It needs Linux 5.12 or newer and permission to make namespaces, or bubblewrap (bwrap) "
        "where that may make them. Use another sandbox, or "
        "--sandbox 'local?isolation=none', which keeps nothing apart: the code can then read the "
        "answers, and the run is marked so.",
    )


def unreachable(path: str) -> SandboxUnavailable:
    """The error for an interpreter, or packages of it, that the code's user may not read."""
    return SandboxUnavailable(
        f"The code runs as a user of its own, who may not read {path}.",
        f"Let others read it with: chmod -R go+rX {path}",
    )


def environment(
    programs: str, home: str, temporary: str, share: Mapping[str, str]
) -> dict[str, str]:
    """The whole environment of code in a sandbox of this machine.

    Args:
        programs: the interpreter's folder.
        home: as for `surroundings.variables`, and so are the others.
        temporary: likewise.
        share: likewise.
    """
    places = [programs, PROGRAMS, "/usr/local/bin", "/usr/bin", "/bin"]
    return {"PATH": os.pathsep.join(places), **variables(home, temporary, share)}


def pipes(count: int) -> Sequence[tuple[int, int]]:
    """Pipes with a non-blocking read end."""
    made = [os.pipe() for _ in range(count)]
    for read_end, _ in made:
        os.set_blocking(read_end, False)
    return made
