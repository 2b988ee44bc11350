"""The public files of a task, prepared once and shared by every run."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Collection
from hashlib import sha256
from pathlib import Path

from mlxlab.core.boundary import about, cause_of
from mlxlab.core.errors import TaskError, broken
from mlxlab.core.task import Task, TaskInfo
from mlxlab.core.tasked import prepare_in

LISTING = ".sizes.json"
"""Beside the prepared folder, never in it: the size of each file, in bytes."""


def cache_root() -> Path:
    """The user's cache folder for mlxlab: XDG_CACHE_HOME/mlxlab."""
    stated = Path(os.environ.get("XDG_CACHE_HOME", ""))
    base = stated if stated.is_absolute() else Path.home() / ".cache"
    return base / "mlxlab"


def prepared(task: Task, info: TaskInfo | None = None, owner: str = "") -> Path:
    """The folder of a task's public files, made if it is not there yet or was damaged.

    It is named by the data's hash and by whose it is, the version included, so that a mended
    plugin prepares anew; and moved into place whole, so that a kill or a second process never
    leaves or meets half a folder.

    Args:
        task: the task.
        info: what it says of itself, where that was asked for already.
        owner: whose it is, to say whose fault a failure is.

    Raises:
        TaskError: the cache folder cannot be written.
        PluginError: the task's own code failed, or wrote other files than `info` names.
    """
    info = info or task.info
    who = owner or f"task '{info.id}'"
    name = f"{_plain(info.id)}-{info.data_hash[:16]}-{sha256(who.encode()).hexdigest()[:8]}"
    target = cache_root() / "inputs" / name
    try:
        if not _whole(target):
            _make(task, info.files, target, who)
    except OSError as error:
        raise TaskError(
            f"The task's files cannot be kept below {cache_root()}: {error.strerror or error}.",
            "Set XDG_CACHE_HOME to a folder that can be written.",
        ) from error
    return target


def named(path: str, names: Collection[str]) -> bool:
    """Whether a file is among `TaskInfo.files`, or in a folder of them: that ends with a slash."""
    return path in names or any(path.startswith(name) for name in names if name.endswith("/"))


def _make(task: Task, names: Collection[str], target: Path, owner: str) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    new = Path(tempfile.mkdtemp(dir=target.parent, prefix=".new-"))
    try:
        _prepare(task, new, owner)
        _readable(new)
        sizes = _sizes(new)
        if problem := _disagreement(sizes, names):
            raise broken(owner, "prepare", problem)
        listing = json.dumps(sizes)
        shutil.rmtree(target, ignore_errors=True)
        new.rename(target)
        target.with_suffix(LISTING).write_text(listing)
    except OSError:
        if not _whole(target):  # else another process was faster
            raise
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _prepare(task: Task, folder: Path, owner: str) -> None:
    """Have the task write its files; an OSError is the folder's alone, others are the task's."""
    try:
        prepare_in(owner, task, folder, OSError)
    except OSError as error:
        if about(error, folder):
            raise
        raise broken(owner, "prepare", f"failed: {cause_of(error)}") from error


def _disagreement(written: Collection[str], names: Collection[str]) -> str:
    """How the files differ from those that `info` names, in words; empty: they do not."""
    known = frozenset(names)
    if extra := [path for path in written if not named(path, known)]:
        return f"wrote {extra[0]}, which info.files does not name"
    lacking = [name for name in names if name not in written and not _filled(name, written)]
    return f"did not write {lacking[0]}, which info.files names" if lacking else ""


def _filled(name: str, written: Collection[str]) -> bool:
    """Whether a name is a folder's, and something lies in it."""
    return name.endswith("/") and any(path.startswith(name) for path in written)


def _whole(target: Path) -> bool:
    """Whether the folder holds the very files that were prepared, by name and size."""
    try:
        return bool(json.loads(target.with_suffix(LISTING).read_text()) == _sizes(target))
    except (OSError, ValueError):
        return False


def _sizes(folder: Path) -> dict[str, int]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): path.stat().st_size for path in files}


def _readable(folder: Path) -> None:
    """Let the unprivileged user that runs the agent's code read everything."""
    folder.chmod(0o755)
    for path in folder.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)


def _plain(name: str) -> str:
    return "".join(c if c.isalnum() or c in "-_" else "_" for c in name)[:60]
