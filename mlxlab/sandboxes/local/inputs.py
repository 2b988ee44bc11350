"""The task's public files, made readable for the user that the code runs as."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

_FILE, _FOLDER = 0o444, 0o755


def readable_by_all(folder: Path) -> bool:
    """Whether another user, once let in, can read everything below a folder."""
    for at, _, names in os.walk(folder):
        if Path(at).stat().st_mode & (stat.S_IROTH | stat.S_IXOTH) != stat.S_IROTH | stat.S_IXOTH:
            return False
        if any(not Path(at, name).stat().st_mode & stat.S_IROTH for name in names):
            return False
    return True


def copy(source: Path, target: Path) -> Path:
    """Copy a folder so that everybody can read it; returns the copy."""
    shutil.copytree(source, target, dirs_exist_ok=True)
    for at, _, names in os.walk(target):
        Path(at).chmod(_FOLDER)
        for name in names:
            Path(at, name).chmod(_FILE)
    return target
