"""What a component may not change around it: environment, folder, threads, processes, output."""

from __future__ import annotations

import logging
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple, TextIO

GRACE_S = 3.0
"""How long threads and processes that are ending may take to be gone."""
_TOLD_BY_OTHERS = {"PYTEST_CURRENT_TEST", "KMP_DUPLICATE_LIB_OK", "KMP_INIT_AT_FORK"}
"""What pytest sets for each test, and scikit-learn where it is first imported."""


class Surroundings(NamedTuple):
    """What a process is at one moment."""

    environment: dict[str, str]
    folder: str
    threads: frozenset[threading.Thread]
    children: frozenset[int]
    handlers: tuple[logging.Handler, ...]

    @classmethod
    def now(cls) -> Surroundings:
        """As it is."""
        kept = {k: v for k, v in os.environ.items() if k not in _TOLD_BY_OTHERS}
        return cls(
            kept,
            str(Path.cwd()),
            frozenset(threading.enumerate()),
            children(),
            tuple(logging.getLogger().handlers),
        )

    def changes(self) -> list[str]:
        """What is no longer as it was, each in a few words."""
        now = Surroundings.now()
        found = [
            f"the environment variable {name} is changed"
            for name in sorted({*self.environment, *now.environment})
            if self.environment.get(name) != now.environment.get(name)
        ]
        if now.folder != self.folder:
            found.append(f"the working folder is {now.folder}, was {self.folder}")
        found += [f"the thread {each.name} runs on" for each in now.threads - self.threads]
        found += [f"the process {name_of(pid)} runs on" for pid in now.children - self.children]
        extra = [each for each in now.handlers if each not in self.handlers]
        found += [f"logging got a {type(each).__name__}" for each in extra]
        return found

    def settled(self, grace_s: float = GRACE_S) -> list[str]:
        """As `changes`, once threads and processes have had time to end."""
        until = time.monotonic() + grace_s
        while (found := self.changes()) and time.monotonic() < until:
            time.sleep(0.02)
        return found


@contextmanager
def left_as_found(grace_s: float = GRACE_S) -> Iterator[None]:
    """Assert that environment, folder, threads, processes and logging are left as they were."""
    before = Surroundings.now()
    yield
    left = before.settled(grace_s)
    assert not left, f"not left as found: {'; '.join(left)}"


@contextmanager
def output() -> Iterator[list[str]]:
    """What is written to stdout and stderr meanwhile, libraries and children included.

    The list holds both texts once the context is left.
    """
    found: list[str] = []
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        _flush()
        kept = [(number, os.dup(number)) for number in (1, 2)]
        try:
            os.dup2(out.fileno(), 1)
            os.dup2(err.fileno(), 2)
            with (
                _stream(1) as stdout,
                _stream(2) as stderr,
                redirect_stdout(stdout),
                redirect_stderr(stderr),
            ):
                yield found
        finally:
            for number, copy in kept:
                os.dup2(copy, number)
                os.close(copy)
            for file in (out, err):
                file.seek(0)
                found.append(file.read().decode(errors="replace"))


def _stream(number: int) -> TextIO:
    """What `print` writes to: pytest, for one, puts something else in the place of stdout."""
    return open(number, "w", errors="backslashreplace", closefd=False)


def children() -> frozenset[int]:
    """The numbers of this process's children, those that ended and wait included."""
    found: set[int] = set()
    for task in Path("/proc/self/task").glob("*/children"):
        try:
            found |= {int(word) for word in task.read_text().split()}
        except OSError:
            continue
    return frozenset(found)


def name_of(pid: int) -> str:
    """What a process is called, with its number."""
    try:
        return f"{Path(f'/proc/{pid}/comm').read_text().strip()} ({pid})"
    except OSError:
        return str(pid)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and not stream.closed:
            stream.flush()
