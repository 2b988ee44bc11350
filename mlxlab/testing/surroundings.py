"""What lies around a call: whether it was changed, looked at, or made a difference."""

from __future__ import annotations

import io
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any
from unittest.mock import patch

from mlxlab.core.places import line_now, package_of
from mlxlab.testing.draws import drawn_anew, global_draws
from mlxlab.testing.found import children, name_of
from mlxlab.testing.later import later

_AUDITED = frozenset(
    "compile open os.listdir os.scandir os.system os.fork socket.connect subprocess.Popen".split()
)

GRACE_S = 0.5
"""How long processes that are ending may take to be gone."""

_PLACES = ("HOME", "PATH", "TMPDIR", "TEMP", "TMP", "USERPROFILE")
"""Variables that say where something lies."""

_seen: dict[int, tuple[list[str], Path | None]] = {}
"""By thread: what audited calls in it looked at, while it is watched, and whose lines are told."""
_compiling: dict[int, object] = {}
"""By thread: the name that was last given to a text to be compiled."""
_hooked: list[bool] = []


@contextmanager
def elsewhere(subject: object = None, *, same_places: bool = False) -> Iterator[None]:
    """Another folder, other variables, a later time, other draws: nothing a pure function sees.

    Fails where something was written into that folder.

    Args:
        subject: whose package's names for the time are set ahead as well.
        same_places: leave variables that say where files or the network are to be found.
    """
    changed = {
        name: f"{value}, elsewhere"
        for name, value in os.environ.items()
        if not (same_places and _is_place(name, value))
    }
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="mlx-elsewhere-"))
        stack.callback(os.chdir, Path.cwd())
        stack.enter_context(drawn_anew("elsewhere"))
        stack.enter_context(patch.dict(os.environ, changed))
        stack.enter_context(later(_package(subject)))
        os.chdir(folder)
        yield
        left = sorted(path.name for path in Path(folder).iterdir())
        assert not left, f"it left {', '.join(left)} in the current folder"


def _is_place(name: str, value: str) -> bool:
    """Whether a variable tells of folders or proxies, data that a library keeps among them."""
    named = name in _PLACES or name.startswith("XDG_") or name.lower().endswith("_proxy")
    return named or any(Path(part).is_absolute() for part in value.split(os.pathsep))


def _package(subject: object) -> tuple[str, ...]:
    """The modules beside the one that a subject's class is written in."""
    if subject is None:
        return ()
    module = type(subject).__module__
    return (module, module.rpartition(".")[0] or module)


@contextmanager
def untouched() -> Iterator[None]:
    """Fail where variables, folder, draws, streams, threads or processes are not as before."""
    printed, running = io.StringIO(), children()
    # Drawn anew, so that seeding as was done before makes a difference too.
    with drawn_anew("untouched"):
        before = _around()
        with redirect_stdout(printed), redirect_stderr(printed):
            yield
        after = _around()
    changed = [name for name, value in before.items() if after[name] != value]
    if printed.getvalue():
        changed.append(f"what was printed: {printed.getvalue()[:80]!r}")
    told = [f"it changed {', '.join(changed)}"] if changed else []
    told += [f"it left the process {name}" for name in _left_running(running)]
    assert not told, "; ".join(told)


def _left_running(before: frozenset[int]) -> list[str]:
    """The processes that were started and are still there, once they had time to end."""
    until = time.monotonic() + GRACE_S
    while (more := children() - before - {_tracker()}) and time.monotonic() < until:
        time.sleep(0.02)
    return [name_of(pid) for pid in sorted(more)]


def _tracker() -> int | None:
    """Python's own process that clears away after pools; it stays until the interpreter ends."""
    module = sys.modules.get("multiprocessing.resource_tracker")
    return getattr(getattr(module, "_resource_tracker", None), "_pid", None)


@contextmanager
def unseeing(subject: object = None) -> Iterator[None]:
    """Fail where this thread opens a file or a connection, lists a folder or starts a process.

    Args:
        subject: whose package's line is told, where one of it did.
    """
    own = package_of(type(subject).__module__)
    if not _hooked:
        _hooked.append(True)
        sys.addaudithook(_audit)
    here = threading.get_ident()
    seen: list[str] = []
    _seen[here] = seen, own
    try:
        yield
    finally:
        del _seen[here]
    assert not seen, f"it looked outside its arguments: {', '.join(dict.fromkeys(seen))}"


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if not _seen or event not in _AUDITED:
        return
    here = threading.get_ident()
    watched = _seen.get(here)
    if watched is None:
        return
    seen, own = watched
    if event == "compile":
        _compiling[here] = arguments[1]
    # Python itself looks for the source of what does not compile.
    elif event != "open" or arguments[0] != _compiling.get(here):
        what = f"{event} {arguments[0]!r}" if arguments else event
        line = line_now(own, below=2) if own is not None else ""
        seen.append(f"{what} ({line})" if line else what)


def _around() -> dict[str, object]:
    return {
        "the variables": dict(os.environ),
        "the folder": str(Path.cwd()),
        **global_draws(),
        "the threads": frozenset(threading.enumerate()),
        "the import path": list(sys.path),
    }
