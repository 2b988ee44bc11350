"""Sandboxes without limits, or that do not tell which limit it was."""

from __future__ import annotations

from mlxlab.core.errors import SandboxError
from mlxlab.core.records import Limits
from mlxlab.core.sandbox import ExecRequest, ExecResult, OnOutput
from tests.testing.mutants.sandbox.joints import (
    Changes,
    Make,
    Mutant,
    Real,
    allowing,
    told,
    wrapping,
)

IN_THE_WORKSPACE = "import os, tempfile; tempfile.tempdir = os.getcwd()"
"""Temporary files are like all others."""


class UsedUp(Mutant):
    """Is of no use after a timeout."""

    def __init__(self, real: Real) -> None:
        super().__init__(real)
        self.used_up = False

    async def run(
        self, request: ExecRequest, limits: Limits, on_output: OnOutput | None = None
    ) -> ExecResult:
        if self.used_up:
            raise SandboxError("The sandbox's engine is gone.")
        result = await self.real.run(request, limits, on_output)
        self.used_up = result.outcome == "timeout"
        return result


def a_kill_like_any(result: ExecResult) -> Changes:
    """Nobody learns that it was the time."""
    return {"outcome": "killed", "exit_code": -9} if result.outcome == "timeout" else {}


def an_error_like_any(result: ExecResult) -> Changes:
    """Nobody learns that it was the memory."""
    return {"outcome": "exited", "detail": ""} if result.outcome == "oom" else {}


def forgets_what_was_said(result: ExecResult) -> Changes:
    """The output goes with the process."""
    return {"stdout": ""} if result.outcome == "timeout" else {}


LIMITS: dict[str, Make] = {
    "wall_time": told(a_kill_like_any),
    "wall_time_of_a_command": told(forgets_what_was_said),
    "cpu_time": allowing(cpu_s=None, wall_s=1.0),
    "memory": told(an_error_like_any),
    "processes": allowing(processes=1000),
    "a_fork_bomb_ends_with_its_time": UsedUp,
    "the_size_of_a_file": allowing(file_bytes=1 << 30),
    "the_whole_workspace": allowing(disk_bytes=1 << 40, wall_s=1.0),
    "memory_of_all_processes": allowing(memory_bytes=1 << 40, wall_s=2.0),
    "temporary_files": wrapping(before=IN_THE_WORKSPACE),
    "output": allowing(output_bytes=1 << 40, wall_s=1.0),
}
