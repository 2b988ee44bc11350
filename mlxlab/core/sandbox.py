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
"""How an execution ended: by itself, over its time, over its memory, or by a signal or another
limit."""
OnOutput = Callable[[Literal["stdout", "stderr"], str], None]
"""Hears a piece of text as it comes, after the name of its stream."""
AbsolutePath = Annotated[Path, AfterValidator(Path.absolute)]
"""A path of the host; a relative one is taken below the working folder of that moment."""


class SandboxFileError(ValueError):
    """A path of the workspace that may not be read or written: a link, a device, too large."""


class Isolation(Record):
    """What a sandbox truthfully keeps apart; each False is said in the run's attestation."""

    files: bool = Field(
        description="The host's files are out of sight, but for what programs need."
    )
    network: bool = Field(
        description="Nothing can be reached: neither listeners of the host, abstract Unix sockets "
        "included, nor anything beyond it."
    )
    processes: bool = Field(description="The host's processes are out of sight.")
    user: bool = Field(
        description="The code runs as another user, without capabilities, and cannot become root."
    )
    answers_reachable: bool = Field(
        description="Whether the code could get at the answers: True wherever `files` is False, "
        "where what `hidden` names stays in sight, and with a network, which may lead to them."
    )
    description: str = Field(description="All of it in words, for people.")


class SandboxSetup(Record):
    """What a sandbox is opened with."""

    scratch: AbsolutePath = Field(
        description="A folder of the host that the sandbox owns until it is closed; always "
        "absolute."
    )
    inputs: AbsolutePath | None = Field(
        None, description="The folder shown read-only as `input/`, absolute too; None: no input."
    )
    hidden: tuple[str, ...] = Field(
        (), description="Packages that must be out of sight, as in `Task.hidden`."
    )
    cores: int = Field(
        1, description="Processor cores that the code may use; its thread pools are made as large."
    )
    cpus: tuple[int, ...] = Field(
        (),
        description="The processors to pin the code to, so that neighbours do not share them; "
        "empty: any.",
    )
    gpus: tuple[int, ...] = Field(
        (),
        description="Indices of the GPUs leased to this sandbox; the code sees these and no other.",
    )


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
    """What an execution left.

    A program that ends by itself has `exited`, whatever its code. One that is stopped is a
    `timeout` over its wall or CPU time, `oom` over its memory, and `killed` over its output or the
    workspace's size, or where a signal ended it.
    """

    outcome: Outcome
    exit_code: int | None = Field(
        description="The program's own; the signal's number, negative, where one ended it; None "
        "where the sandbox stopped it, as for time and output. A missing script ends with 2, a "
        "missing command with 127."
    )
    stdout: str = Field(description="Head and tail of it: `Limits.kept_output_chars`.")
    stderr: str = Field(description="Likewise.")
    duration_s: float = Field(description="Wall time.")
    detail: str = Field(
        "", description="For the agent: the limit that was met, with its size, or the signal."
    )


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

    @property
    def isolation(self) -> Isolation:
        """What it keeps apart, for the attestation: asked for once, before anything runs."""
        ...

    async def open(self, setup: SandboxSetup) -> None:
        """Start. Raises SandboxUnavailable where the promised isolation cannot be had."""
        ...

    async def run(
        self, request: ExecRequest, limits: Limits, on_output: OnOutput | None = None
    ) -> ExecResult:
        """Execute in the workspace.

        Args:
            request: what is executed.
            limits: what it may use.
            on_output: hears the output while it comes; called in the event loop.

        Raises:
            SandboxError: the engine itself failed.
        """
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
