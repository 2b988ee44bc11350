"""Sandboxes and policies as the host uses them: what goes wrong is named, bounded and checked."""

from __future__ import annotations

from typing import Any, TypeVar

from mlxlab.core.answers import recordable
from mlxlab.core.boundary import SLOW, Boundary, answering, awaited, number_problem, whole, whose
from mlxlab.core.errors import SandboxError, broken
from mlxlab.core.policy import Policy, PolicyRequest
from mlxlab.core.records import Completion, Limits
from mlxlab.core.registry import Component
from mlxlab.core.sandbox import (
    ExecRequest,
    ExecResult,
    FileEntry,
    Isolation,
    OnOutput,
    Packages,
    Sandbox,
    SandboxFileError,
    SandboxSetup,
    Snapshot,
)
from mlxlab.core.states import StateStore
from mlxlab.core.watch import limit_s

QUICK = 4.0
"""How many times the limit a call about one file may take."""
_FILES = (OSError, SandboxFileError)
T = TypeVar("T")


class GuardedSandbox:
    """A sandbox of a plugin.

    A call that takes too long is a SandboxError, so that the sandbox is replaced.

    Args:
        made: the sandbox, and whose it is.
    """

    def __init__(self, made: Component[Sandbox]) -> None:
        self._sandbox = made.instance
        self._owner = whose(made.ref)
        self.isolation: Isolation = isolation_of(made)

    async def open(self, setup: SandboxSetup) -> None:
        """Start."""
        await self._ask("open", object, SLOW, (), setup)

    async def run(
        self, request: ExecRequest, limits: Limits, on_output: OnOutput | None = None
    ) -> ExecResult:
        """Execute; what is too long to keep is cut, a time that is none is 0."""
        times = 1 + limits.wall_s / limit_s()
        result = await self._ask("run", ExecResult, times, (), request, limits, on_output)
        with Boundary(self._owner, "run"):
            result = whole(result)
        most = limits.kept_output_chars + 1000  # with a note of what is left out
        update: dict[str, Any] = {
            name: found[:most]
            for name in ("stdout", "stderr", "detail")
            if len(found := getattr(result, name)) > most
        }
        if number_problem(result.duration_s):
            update["duration_s"] = 0.0
        return result.model_copy(update=update) if update else result

    async def read(self, path: str, max_bytes: int = 1 << 30) -> bytes:
        """Read a file."""
        found = await self._ask("read", bytes, QUICK, _FILES, path, max_bytes)
        if len(found) > max_bytes:
            raise broken(self._owner, "read", f"returned {len(found)} bytes, over {max_bytes}")
        return found

    async def write(self, path: str, data: bytes) -> None:
        """Write a file."""
        await self._ask("write", object, QUICK, _FILES, path, data)

    async def remove(self, path: str) -> None:
        """Remove a file."""
        await self._ask("remove", object, QUICK, _FILES, path)

    async def list(self, path: str = ".") -> list[FileEntry]:
        """List a folder."""
        found = await self._ask("list", list, QUICK, _FILES, path)
        if wrong := next((each for each in found if not isinstance(each, FileEntry)), None):
            raise broken(self._owner, "list", f"returned a {type(wrong).__name__} as an entry")
        return found

    async def snapshot(self, store: StateStore, parent: str) -> Snapshot:
        """Record the workspace."""
        found = await self._ask("snapshot", Snapshot, SLOW, (), store, parent)
        with Boundary(self._owner, "snapshot"):
            return whole(found)

    async def restore(self, store: StateStore, state: str) -> None:
        """Make the workspace equal to a state."""
        await self._ask("restore", object, SLOW, (), store, state)

    async def packages(self) -> Packages:
        """What the code will find."""
        found = await self._ask("packages", Packages, SLOW, ())
        with Boundary(self._owner, "packages"):
            return whole(found)

    async def close(self) -> None:
        """Stop everything."""
        await self._ask("close", object, 1, ())

    async def _ask(
        self,
        what: str,
        expected: type[T],
        times: float,
        passing: tuple[type[Exception], ...],
        *arguments: object,
    ) -> T:
        """One call; raises PluginError where it returns anything else than it has to."""
        most = times * limit_s()
        async with answering(self._owner, what, most, SandboxError, passing):
            asked: object = getattr(self._sandbox, what)(*arguments)
            found: object = await awaited(self._owner, what, asked)
        if isinstance(found, expected):
            return found
        kind = type(found).__name__
        raise broken(self._owner, what, f"returned {kind}, no {expected.__name__}")


class GuardedPolicy:
    """A policy of a plugin, asked outside of runs, which count calls and money too.

    Args:
        made: the policy, and whose it is.
    """

    def __init__(self, made: Component[Policy]) -> None:
        self._policy = made.instance
        self._owner = whose(made.ref)

    async def act(self, request: PolicyRequest) -> Completion:
        """Answer; raises PolicyError as the policy says, PluginError for a broken promise."""
        async with answering(self._owner, "act", SLOW * limit_s()):
            found = await awaited(self._owner, "act", self._policy.act(request))
        return recordable(self._owner, found)

    async def close(self) -> None:
        """Stop everything."""
        async with answering(self._owner, "close", limit_s()):
            await awaited(self._owner, "close", self._policy.close())


def isolation_of(made: Component[Sandbox]) -> Isolation:
    """What a sandbox keeps apart; raises PluginError where it does not say."""
    with Boundary(whose(made.ref), "isolation"):
        found: object = made.instance.isolation
    if isinstance(found, Isolation):
        return found
    raise broken(whose(made.ref), "isolation", f"is {type(found).__name__}, no Isolation")
