"""Single files below an open folder: read without following, written whole or not at all."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from mlxlab.core.sandbox import SandboxFileError
from mlxlab.sandboxes.local import paths

# A pipe that untrusted code left would block an open without O_NONBLOCK for ever.
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


@contextmanager
def opened(at: int, name: str, path: str) -> Iterator[BinaryIO]:
    """Open a regular file for reading; `path` is its name in messages."""
    found = paths.kind(at, name)
    if found is None:
        raise FileNotFoundError(f"There is no '{path}' in the workspace.")
    if found != stat.S_IFREG:
        what = {stat.S_IFLNK: "a link", stat.S_IFDIR: "a folder"}.get(found, "something else")
        raise SandboxFileError(f"'{path}' is {what}, not a regular file.")
    with os.fdopen(_readable(at, name), "rb") as stream:
        yield stream


@contextmanager
def new(at: int, name: str, owner: int | None, mode: int = 0o644) -> Iterator[BinaryIO]:
    """Write a file that takes the place of `name` once it is complete."""
    temporary = f".new-{secrets.token_hex(8)}"
    fd = os.open(temporary, _WRITE, 0o600, dir_fd=at)
    try:
        with os.fdopen(fd, "wb") as stream:
            yield stream
            stream.flush()
            if owner is not None:
                os.fchown(fd, owner, owner)
            os.fchmod(fd, mode)
        os.replace(temporary, name, src_dir_fd=at, dst_dir_fd=at)
    except BaseException:
        os.unlink(temporary, dir_fd=at)
        raise


def _readable(at: int, name: str) -> int:
    try:
        return os.open(name, _READ, dir_fd=at)
    except PermissionError:
        # Untrusted code took our right away; the mode is not worth a lost file.
        os.chmod(name, 0o644, dir_fd=at)
        return os.open(name, _READ, dir_fd=at)
