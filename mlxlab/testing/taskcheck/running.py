"""Programs run in a sandbox as an agent's program would be, with the task's packages hidden."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from mlxlab.core.records import Limits
from mlxlab.core.sandbox import ExecRequest, ExecResult, Sandbox, SandboxFileError, SandboxSetup
from mlxlab.core.tasked import stated_hidden
from mlxlab.testing.taskcheck.finding import Finding, failed, passed, skipped
from mlxlab.testing.taskcheck.subject import Subject, score

MAX_BYTES = 256 << 20


@asynccontextmanager
async def opened(subject: Subject, name: str) -> AsyncIterator[Sandbox]:
    """A sandbox with the task's public files and nothing of its hidden packages."""
    sandbox = subject.sandbox()
    folder = subject.scratch / name
    folder.mkdir()
    hidden = stated_hidden(f"task '{subject.info.id}'", subject.task)
    cores = len(os.sched_getaffinity(0))
    setup = SandboxSetup(scratch=folder, inputs=subject.inputs, hidden=hidden, cores=cores)
    await sandbox.open(setup)
    try:
        yield sandbox
    finally:
        await sandbox.close()


async def execute(
    sandbox: Sandbox, files: Mapping[str, bytes], script: str, limits: Limits
) -> ExecResult:
    """Write files into the workspace and run one of them."""
    for path, data in files.items():
        await sandbox.write(path, data)
    return await sandbox.run(ExecRequest(script=script), limits)


def problem(result: ExecResult) -> str | None:
    """Why an execution did not end well; None if it did."""
    if result.outcome != "exited":
        return f"it ended by {result.outcome}: {result.detail}".rstrip(": ")
    if result.exit_code:
        said = result.stderr.strip().splitlines()[-1:] or ["nothing on stderr"]
        return f"it ended with status {result.exit_code}: {said[0]}"
    return None


def starter_runs(subject: Subject) -> Finding:
    """The starter script, run as it is, leaves a valid submission in the default time."""
    check, info = "starter-runs", subject.info
    if not info.starter:
        return skipped(check, "The task has no starter script.")
    if info.entrypoint not in info.starter:
        return failed(check, f"The starter files lack the entrypoint {info.entrypoint}.")
    result, data = asyncio.run(_start(subject))
    if why := problem(result):
        return failed(check, f"{info.entrypoint} does not run: {why}.")
    if data is None:
        return failed(check, f"{info.entrypoint} leaves no {info.submission.path}.")
    grade = subject.grade(data)
    if not grade.valid:
        return failed(check, f"{info.entrypoint} leaves an invalid submission: {grade.message}")
    took = f"runs in {result.duration_s:.1f} s"
    told = f"{info.entrypoint} {took} and scores {score(grade.private)}."
    return passed(check, told, private=grade.private, duration_s=result.duration_s)


async def _start(subject: Subject) -> tuple[ExecResult, bytes | None]:
    info = subject.info
    files = {path: text.encode() for path, text in info.starter.items()}
    async with opened(subject, "starter") as sandbox:
        limits = Limits(wall_s=info.exec_timeout_s)
        result = await execute(sandbox, files, info.entrypoint, limits)
        try:
            return result, await sandbox.read(info.submission.path, MAX_BYTES)
        except (FileNotFoundError, SandboxFileError):
            return result, None
