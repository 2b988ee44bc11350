"""One execution: the supervisor, the init below it, and the end of everything they started."""

from __future__ import annotations

import json
import os
import resource
import select
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from . import confine, linux, program, view
from .shown import Shown

_ENGINE_FAILED = 70
_PAUSE_S = 0.001
_SIGNALS = {signal.SIGCHLD, signal.SIGTERM}


def block_signals() -> None:
    """Keep the signals that a supervisor waits for from interrupting anything before."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)


@dataclass(frozen=True)
class Job:
    """An execution to be started.

    Args:
        request: the host's message.
        out, err, report: descriptors that the program's output and our report go to.
        in_tmp: what `view.enter` returned.
    """

    request: Mapping[str, Any]
    out: int
    err: int
    report: int
    in_tmp: Sequence[Shown]

    def become_program(self) -> NoReturn:
        """Run the program in this process."""
        program.start(self.request, self.out, self.err, confine.Bounds(**self.request["bounds"]))

    def say(self, **facts: Any) -> None:
        """Write one line of the report."""
        os.write(self.report, json.dumps(facts).encode() + b"\n")

    def say_ended(self, status: int, usage: resource.struct_rusage) -> None:
        """Report how the program ended."""
        self.say(status=status, cpu_s=usage.ru_utime + usage.ru_stime)


def start(job: Job) -> int:
    """Fork the supervisor of an execution; returns its process id.

    It ends once nothing of the execution lives. The report then holds JSON lines: `status` and
    `cpu_s` of the program, `timeout`, or `failed` with what went wrong in here.
    """
    parent = os.getpid()
    return _fork(job, lambda: _supervise(job, parent))


def _supervise(job: Job, parent: int) -> None:
    isolated = job.request["isolated"]
    # Without an init, whose death the kernel makes everybody's, we must live to kill the others.
    linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL if isolated else signal.SIGTERM)
    if os.getppid() != parent:
        return
    ends_at = time.monotonic() + job.request["wall_s"]
    if isolated:
        linux.unshare(linux.CLONE_NEWPID | linux.CLONE_NEWNS | linux.CLONE_NEWIPC)
        alive, held = os.pipe()
        first = _fork(job, lambda: _init(job, alive, held))
        os.close(alive)
    else:
        linux.prctl(linux.PR_SET_CHILD_SUBREAPER, 1)
        first = _fork(job, job.become_program)
    ended = _await(job, first, ends_at)
    if not isolated:
        _kill_descendants()
    elif not ended:
        os.kill(first, signal.SIGKILL)
        os.waitpid(first, 0)


def _await(job: Job, first: int, ends_at: float) -> bool:
    """Wait for the first child, the end of its time or the host; tells whether it ended."""
    while True:
        got = signal.sigtimedwait(_SIGNALS, max(0.0, ends_at - time.monotonic()))
        if got is None:
            job.say(timeout=True)
        if got is None or got.si_signo == signal.SIGTERM:
            return False
        pid, status, usage = os.wait3(os.WNOHANG)
        while pid not in (0, first):
            pid, status, usage = os.wait3(os.WNOHANG)
        if pid == first:
            if not job.request["isolated"]:
                job.say_ended(status, usage)
            return True


def _init(job: Job, alive: int, held: int) -> None:
    """Be pid 1: start the program and adopt orphans; the kernel kills the rest at its end.

    `alive` reads the end of a pipe of which only the supervisor keeps the other, `held`.
    """
    os.close(held)
    linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)
    if select.select([alive], [], [], 0)[0]:
        return  # the supervisor died before the line above could notice
    linux.prctl(linux.PR_SET_DUMPABLE, 0)
    view.refresh(job.in_tmp)
    first = _fork(job, job.become_program)
    while True:
        pid, status, usage = os.wait3(0)
        if pid == first:
            job.say_ended(status, usage)
            return


def _fork(job: Job, body: Callable[[], None]) -> int:
    """Fork a process that runs `body` and nothing after it; returns its id."""
    pid = os.fork()
    if pid:
        return pid
    try:
        body()
        os._exit(0)
    except BaseException as error:
        job.say(failed=f"{type(error).__name__}: {error}")
    finally:
        os._exit(_ENGINE_FAILED)


def _kill_descendants() -> None:
    """Kill and reap until there are none; orphans come to us, so none is missed."""
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    while True:
        for pid in children.read_text().split():
            os.kill(int(pid), signal.SIGKILL)
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                time.sleep(_PAUSE_S)  # the list may have missed one
        except ChildProcessError:
            return
