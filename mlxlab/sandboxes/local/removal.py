"""Removing trees that untrusted code built: of any depth, with any permissions."""

from __future__ import annotations

import contextlib
import os
import stat
from itertools import count
from pathlib import Path

from mlxlab.sandboxes.local import paths

_numbers = count()


def remove(at: int, name: str, trash: int) -> None:
    """Remove an entry and all below it, without recursion.

    Args:
        at: the open folder that the entry lies in.
        name: the entry.
        trash: an open folder of the same file system that subfolders are moved to, so that no
            path grows longer however deep the tree is.
    """
    if paths.kind(at, name) != stat.S_IFDIR:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name, dir_fd=at)
        return
    left = [_move(at, name, trash)]
    while left:
        folder = left.pop()
        fd = paths.open_folder(trash, folder)
        try:
            for entry in _names(fd):
                if paths.kind(fd, entry) == stat.S_IFDIR:
                    left.append(_move(fd, entry, trash))
                else:
                    os.unlink(entry, dir_fd=fd)
        finally:
            os.close(fd)
        os.rmdir(folder, dir_fd=trash)


def remove_below(folder: Path, trash: Path, without: frozenset[str] = frozenset()) -> None:
    """Remove everything in a folder of the host, but not the folder itself, nor `without`."""
    trash.mkdir(exist_ok=True)
    with paths.folder(folder, ()) as at, paths.folder(trash, ()) as trash_fd:
        for name in _names(at) - without:
            remove(at, name, trash_fd)


def _move(at: int, name: str, trash: int) -> str:
    new = str(next(_numbers))
    os.chmod(name, 0o700, dir_fd=at)  # a folder that cannot be written cannot be moved
    os.rename(name, new, src_dir_fd=at, dst_dir_fd=trash)
    return new


def _names(folder: int) -> set[str]:
    with os.scandir(folder) as entries:
        return {entry.name for entry in entries}
