"""The end of the untrusted program, as an interpreter ends: what it left open is written."""

from __future__ import annotations

import _io
import atexit
import contextlib
import gc
import os
import sys
import threading
from collections.abc import Iterator
from types import ModuleType
from typing import NoReturn

from . import linux

_REPLACED = ("stdin", "stdout", "stderr", "excepthook")
"""What programs put something of their own in the place of; `sys` has the first ones too."""
_USUAL_FDS = 4
"""Of a program that has no file open: the streams', and the one that lists them."""


def leave(code: int, folder: str) -> NoReturn:
    """End as an interpreter does, less the time it takes to tear the libraries down.

    Args:
        code: the exit status.
        folder: where the program's own modules lie, beside its libraries'.
    """
    try:
        threading._shutdown()  # type: ignore[attr-defined]  # as multiprocessing does
        atexit._run_exitfuncs()
        _flush(sys.stdout, sys.stderr)
        with contextlib.suppress(Exception):
            _flush(*_streams())
            _let_go(folder)
            _flush(*_streams())  # what destructors wrote, to files that a library holds
        _flush(sys.stdout, sys.stderr)
        linux.flush_c_output()
    finally:
        os._exit(code)


def _let_go(folder: str) -> None:
    """Drop all that the program holds, so that its destructors are run."""
    for name in _REPLACED:
        setattr(sys, name, getattr(sys, f"__{name}__"))
    for name in list(_own(folder)):
        sys.modules[name] = None  # type: ignore[assignment]  # as an interpreter does at its end
    gc.collect()


def _own(folder: str) -> Iterator[str]:
    """The names of the program and of its own modules, which were all imported after it."""
    for name in reversed(sys.modules):
        module = sys.modules[name]
        space = module.__dict__ if isinstance(module, ModuleType) else {}
        if name == "__main__" or str(space.get("__file__")).startswith(f"{folder}/"):
            yield name
        if name == "__main__":
            return


def _streams() -> list[object]:
    """What may hold bytes for a file, newest first: a text is written to its older buffer.

    Collecting cycles would close buffers before that, and libraries hold what nobody collects,
    such as the program's handlers and hooks.
    """
    with contextlib.suppress(OSError):
        if len(os.listdir("/proc/self/fd")) <= _USUAL_FDS:  # noqa: PTH208 - a third of the time
            return []
    found = [each for each in gc.get_objects() if issubclass(type(each), _io._IOBase)]
    return found[::-1]


def _flush(*streams: object) -> None:
    for stream in streams:
        with contextlib.suppress(Exception):
            stream.flush()  # type: ignore[attr-defined]
