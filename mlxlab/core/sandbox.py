"""The contract of a sandbox: run code in a workspace, snapshot it, restore it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Protocol, runtime_checkable

from pydantic import AfterValidator, Field

from mlxlab.core.records import Limits, Record

if TYPE_CHECKING:
    from mlxlab.core.states import StateStore

INPUT = "input"
"""The read-only folder of the task's public files, inside every workspace."""

Outcome = Literal["exited", "timeout", "oom", "killed"]
OnOutput = Callable[[Literal["stdout", "stderr"], str], None]
AbsolutePath = Annotated[Path, AfterValidator(Path.absolute)]
"""A path of the host; a relative one is taken below the working folder of that moment."""


class SandboxFileError(ValueError):
    """A path of the workspace that may not be read or written: a link, a device, too large."""


class Isolation(Record):
    """What a sandbox truthfully keeps apart; each False is said in the run's attestation."""

    files: bool
    network: bool
    processes: bool
    user: bool
    answers_reachable: bool
    description: str


class SandboxSetup(Record):
    """What a sandbox is opened with.

    Args:
        scratch: a folder of the host that the sandbox owns until it is closed; always absolute.
        inputs: the folder shown read-only as `input/`, absolute too; None for no input.
        hidden: packages that must be out of sight, as in `Task.hidden`.
        cores: processor cores that the code may use; its thread pools are made as large.
        cpus: the processors to pin the code to, so that neighbours do not share them; empty: any.
        gpus: indices of the GPUs leased to this sandbox; the code sees these and no other.
    """

    scratch: AbsolutePath
    inputs: AbsolutePath | None = None
    hidden: tuple[str, ...] = ()
    cores: int = 1
    cpus: tuple[int, ...] = ()
    gpus: tuple[int, ...] = ()


class ExecRequest(Record):
    """One execution: a Python script of the workspace, or a command.

    `seed` seeds the global generators of random and numpy before the script starts, so that a
    script that forgot to seed still repeats.
    """

    script: str | None = None
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    env: dict[str, str] = {}
    seed: int = 0


class ExecResult(Record):
    """What an execution left; `detail` says for the agent why it did not exit by itself."""

    outcome: Outcome
    exit_code: int | None
    stdout: str
    stderr: str
    duration_s: float
    detail: str = ""


class FileEntry(Record):
    """One entry of a workspace listing; `path` is relative with forward slashes."""

    path: str
    kind: Literal["file", "dir", "link", "other"]
    size: int = 0


class Packages(Record):
    """What code in the sandbox finds: what prompts may promise."""

    python: str
    versions: dict[str, str] = Field(description="Import-relevant distributions and versions.")
    cores: int
    memory_bytes: int
    gpus: tuple[str, ...] = ()


class Snapshot(Record):
    """A recorded state, and why it was not kept where it was not."""

    state: str | None
    dropped: str | None = None


@runtime_checkable
class Sandbox(Protocol):
    """Runs untrusted code. Whatever that code does is an ExecResult, never an exception.

    After `run` returns, every process the code started is dead.
    """

    isolation: Isolation

    async def open(self, setup: SandboxSetup) -> None:
        """Start. Raises SandboxUnavailable where the promised isolation cannot be had."""
        ...

    async def run(
        self, request: ExecRequest, limits: Limits, on_output: OnOutput | None = None
    ) -> ExecResult:
        """Execute in the workspace. Raises SandboxError if the engine itself fails."""
        ...

    async def read(self, path: str, max_bytes: int = 1 << 30) -> bytes:
        """Read a regular file.

        Raises:
            FileNotFoundError: naming the file as the agent knows it.
            SandboxFileError: a link, a device, outside the workspace, or over `max_bytes`.
        """
        ...

    async def write(self, path: str, data: bytes) -> None:
        """Write a file, making its folders; links are replaced, never followed."""
        ...

    async def remove(self, path: str) -> None:
        """Remove a file or link of the workspace; one that is not there is no error."""
        ...

    async def list(self, path: str = ".") -> list[FileEntry]:
        """List one folder, sorted by path; raises FileNotFoundError."""
        ...

    async def snapshot(self, store: StateStore, parent: str) -> Snapshot:
        """Record the workspace (without `input/`) as a state that follows `parent`."""
        ...

    async def restore(self, store: StateStore, state: str) -> None:
        """Make the workspace equal to a recorded state; raises RecordError if it is gone."""
        ...

    async def packages(self) -> Packages:
        """What the code will find."""
        ...

    async def close(self) -> None:
        """Stop everything and remove what was made; a second call does nothing."""
        ...
