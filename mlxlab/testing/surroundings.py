"""Code that has to be a function of its arguments: taken elsewhere, blindfolded, and watched."""

from __future__ import annotations

import io
import os
import random
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any
from unittest.mock import patch

_LOOKS = ("open", "os.listdir", "os.scandir", "socket.connect", "subprocess.Popen", "os.fork")
_YEAR_S = 365 * 86400.0
_seen: list[str] = []
_watched = threading.local()


@contextmanager
def elsewhere() -> Iterator[None]:
    """Another folder, other variables, another time of day and other random numbers."""
    folder, dice, now = Path.cwd(), random.getstate(), time.time
    with tempfile.TemporaryDirectory() as other:
        os.chdir(other)
        random.seed("elsewhere")
        changed = {"TZ": "Asia/Tokyo", "LANG": "C", "HOME": other, "MLX_ELSEWHERE": "1"}
        try:
            with patch.dict(os.environ, changed), patch("time.time", lambda: now() + _YEAR_S):
                yield
        finally:
            os.chdir(folder)
            random.setstate(dice)


@contextmanager
def unseeing() -> Iterator[None]:
    """Assert that this thread opens no file, lists no folder, connects and starts nothing."""
    if not _seen:
        sys.addaudithook(_heard)
        _seen.append("")
    _watched.looks = []
    try:
        yield
        looks = _watched.looks
    finally:
        _watched.looks = None
    assert not looks, f"it looked at something else: {looks[0]}"


@contextmanager
def untouched() -> Iterator[None]:
    """Assert that variables, folder, random numbers, streams and threads stay as they were."""
    before = _around()
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        yield
    after = _around()
    changed = [name for name in before if before[name] != after[name]]
    if out.getvalue() or err.getvalue():
        changed.append(f"what was printed: {(out.getvalue() or err.getvalue())[:80]!r}")
    assert not changed, f"it changed {', '.join(changed)}"


def _around() -> dict[str, Any]:
    return {
        "variables": dict(os.environ),
        "the folder": str(Path.cwd()),
        "random numbers": random.getstate(),
        "threads": frozenset(threading.enumerate()),
    }


def _heard(event: str, arguments: tuple[Any, ...]) -> None:
    looks = getattr(_watched, "looks", None)
    if looks is not None and event in _LOOKS:
        looks.append(f"{event} {' '.join(map(str, arguments[:1]))}")
