"""Scratch folders that are removed with their process, or by the next one after a kill."""

from __future__ import annotations

import fcntl
import os
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from mlxlab.core.removal import remove_tree

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_YOUNG_S = 60.0
"""A folder that is younger may be about to be claimed."""


class Claimed:
    """A new folder of this process; what killed processes left beside it is removed.

    Args:
        parent: where it is made.
        prefix: which folders there are of this kind.
    """

    def __init__(self, parent: Path, prefix: str) -> None:
        parent.mkdir(parents=True, exist_ok=True)
        for left in parent.glob(f"{prefix}*"):
            with suppress(OSError):
                _sweep(left)
        self.path = Path(tempfile.mkdtemp(dir=parent, prefix=prefix))
        self._held = os.open(self.path, _FOLDER)
        fcntl.flock(self._held, fcntl.LOCK_EX)

    def remove(self) -> None:
        """Remove it; a second call does nothing."""
        if self._held >= 0:
            with suppress(OSError):
                remove_tree(self.path)
            os.close(self._held)
            self._held = -1


def _sweep(folder: Path) -> None:
    """Remove a folder of this user that no process holds."""
    held = os.open(folder, _FOLDER)
    try:
        about = os.fstat(held)
        if about.st_uid == os.geteuid() and about.st_mtime < time.time() - _YOUNG_S:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            remove_tree(folder)
    finally:
        os.close(held)
