"""Standard output where only a command's own result may go: a plugin's prints go to stderr."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

_kept: TextIO | None = None


def out() -> TextIO:
    """Where a command's result is printed."""
    return sys.stdout if _kept is None else _kept


@contextmanager
def kept_clean() -> Iterator[None]:
    """Send to stderr whatever is not printed to `out()`, by threads and child processes too.

    The process's own descriptor stays turned away, so that nothing follows at its end.
    """
    global _kept
    if _kept is not None:
        yield
        return
    before = sys.stdout
    before.flush()
    _kept = own = _turned_away(before)
    sys.stdout = sys.stderr
    try:
        yield
        own.flush()
    finally:
        _kept, sys.stdout = None, before
        if own is not before:
            with suppress(OSError):
                own.close()


def _turned_away(stream: TextIO) -> TextIO:
    """The stream's descriptor under another number, while its own leads to stderr."""
    try:
        if stream.fileno() != 1:
            return stream
    except (OSError, ValueError):  # a stand-in that tests or notebooks put there
        return stream
    own = os.fdopen(os.dup(1), "w", encoding=stream.encoding, errors=stream.errors)
    os.dup2(2, 1)
    return own
