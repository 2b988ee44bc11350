"""Removing trees that untrusted code built: of any depth, with any permissions."""

from __future__ import annotations

import contextlib
import os
import stat
from itertools import count
from pathlib import Path

from mlxlab.sandboxes.local import paths

_DEEP = 30
"""Levels descended before a folder is moved up: neither the stack nor paths grow longer."""

_numbers = count()


def remove(at: int, name: str, trash: int) -> None:
    """Remove an entry and all below it.

    Args:
        at: the open folder that the entry lies in.
        name: the entry; it need not be there.
        trash: an open, empty folder of the same file system that deep folders are moved to.
    """
    left: list[str] = []
    _remove(at, name, trash, left, 0)
    while left:
        _remove(trash, left.pop(), trash, left, 0)


def remove_below(folder: Path, trash: Path, without: frozenset[str] = frozenset()) -> None:
    """Remove everything in a folder of the host, but not the folder itself, nor `without`."""
    trash.mkdir(exist_ok=True)
    with paths.folder(folder, ()) as at, paths.folder(trash, ()) as trash_fd:
        for name in _names(at) - without:
            remove(at, name, trash_fd)


def _remove(at: int, name: str, trash: int, left: list[str], depth: int) -> None:
    if paths.kind(at, name) != stat.S_IFDIR:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name, dir_fd=at)
    elif depth == _DEEP:
        left.append(str(next(_numbers)))
        os.chmod(name, 0o700, dir_fd=at)  # a folder that cannot be written cannot be moved
        os.rename(name, left[-1], src_dir_fd=at, dst_dir_fd=trash)
    else:
        fd = paths.open_folder(at, name)
        try:
            for entry in _names(fd):
                _remove(fd, entry, trash, left, depth + 1)
        finally:
            os.close(fd)
        os.rmdir(name, dir_fd=at)


def _names(folder: int) -> set[str]:
    with os.scandir(folder) as entries:
        return {entry.name for entry in entries}
