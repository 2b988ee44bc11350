"""What lies around a call: whether it was changed, looked at, or made a difference."""

from __future__ import annotations

import io
import os
import random
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any
from unittest.mock import patch

_CLOCKS = ("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns")
_LATER = 365 * 86_400
_AUDITED = frozenset(
    "compile open os.listdir os.scandir os.system os.fork socket.connect subprocess.Popen".split()
)

_seen: dict[int, list[str]] = {}
"""By thread: what audited calls in it looked at, while it is watched."""
_compiling: dict[int, object] = {}
"""By thread: the name that was last given to a text to be compiled."""
_hooked: list[bool] = []


@contextmanager
def elsewhere() -> Iterator[None]:
    """Another folder, other variables, a later time, other draws: nothing a pure function sees.

    Fails where something was written into that folder.
    """
    changed = {name: f"{value}, elsewhere" for name, value in os.environ.items()}
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="mlx-elsewhere-"))
        stack.callback(os.chdir, Path.cwd())
        stack.callback(random.setstate, random.getstate())
        stack.enter_context(patch.dict(os.environ, changed))
        for name in _CLOCKS:
            stack.enter_context(patch.object(time, name, _later(name)))
        os.chdir(folder)
        random.seed("elsewhere")
        yield
        left = sorted(path.name for path in Path(folder).iterdir())
        assert not left, f"it left {', '.join(left)} in the current folder"


def _later(name: str) -> Any:
    clock, ahead = getattr(time, name), _LATER * (10**9 if name.endswith("_ns") else 1)
    return lambda: clock() + ahead


@contextmanager
def untouched() -> Iterator[None]:
    """Fail where variables, folder, global draws, streams or threads are not as before."""
    drawn, printed = random.getstate(), io.StringIO()
    random.seed("untouched")  # so that seeding anew, as was done before, makes a difference too
    before = _around()
    try:
        with redirect_stdout(printed), redirect_stderr(printed):
            yield
        after = _around()
    finally:
        random.setstate(drawn)
    changed = [name for name, value in before.items() if after[name] != value]
    if printed.getvalue():
        changed.append(f"what was printed: {printed.getvalue()[:80]!r}")
    assert not changed, f"it changed {', '.join(changed)}"


@contextmanager
def unseeing() -> Iterator[None]:
    """Fail where this thread opens a file or a connection, lists a folder or starts a process."""
    if not _hooked:
        _hooked.append(True)
        sys.addaudithook(_audit)
    here = threading.get_ident()
    seen = _seen[here] = []
    try:
        yield
    finally:
        del _seen[here]
    assert not seen, f"it looked outside its arguments: {', '.join(dict.fromkeys(seen))}"


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if not _seen or event not in _AUDITED:
        return
    here = threading.get_ident()
    seen = _seen.get(here)
    if seen is None:
        return
    if event == "compile":
        _compiling[here] = arguments[1]
    # Python itself looks for the source of what does not compile.
    elif event != "open" or arguments[0] != _compiling.get(here):
        seen.append(f"{event} {arguments[0]!r}" if arguments else event)


def _around() -> dict[str, object]:
    return {
        "the variables": dict(os.environ),
        "the folder": str(Path.cwd()),
        "the global random numbers": random.getstate(),
        "the threads": frozenset(threading.enumerate()),
        "the import path": list(sys.path),
    }
