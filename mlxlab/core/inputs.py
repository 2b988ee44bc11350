"""The public files of a task, prepared once and shared by every run."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from mlxlab.core.task import Task


def cache_root() -> Path:
    """The user's cache folder for mlxlab: XDG_CACHE_HOME/mlxlab."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "mlxlab"


def prepared(task: Task) -> Path:
    """The folder of a task's public files, made if it is not there yet.

    It is named by the data's hash, and moved into place whole, so that a kill or a second
    process never leaves or meets half a folder.
    """
    info = task.info
    target = cache_root() / "inputs" / f"{_plain(info.id)}-{info.data_hash[:16]}"
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    new = Path(tempfile.mkdtemp(dir=target.parent, prefix=".new-"))
    try:
        task.prepare(new)
        _readable(new)
        new.rename(target)
    except OSError:
        if not target.is_dir():
            raise
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return target


def _readable(folder: Path) -> None:
    """Let the unprivileged user that runs the agent's code read everything."""
    folder.chmod(0o755)
    for path in folder.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)


def _plain(name: str) -> str:
    return "".join(c if c.isalnum() or c in "-_" else "_" for c in name)
