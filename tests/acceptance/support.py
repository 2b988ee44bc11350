"""Real runs of the real command, and the processes they leave."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

MLX = str(Path(sys.executable).with_name("mlx"))


def mlx(*words: str, cwd: Path, check: bool = True, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    done = subprocess.run(
        [MLX, *words],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **env},
    )
    assert done.returncode == 0 or not check, done.stderr
    return done


def mlx_json(*words: str, cwd: Path, **env: str) -> dict[str, Any]:
    """The object that a command prints with --json."""
    return json.loads(mlx(*words, "--json", cwd=cwd, **env).stdout)


def descendants(root: int) -> set[int]:
    """Every process below a process, itself included."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue
            parent = int(stat.rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(entry.name))
    found, todo = set(), [root]
    while todo:
        pid = todo.pop()
        found.add(pid)
        todo += children.get(pid, [])
    return found


def kill_tree(root: int) -> set[int]:
    """kill -9 of a whole process tree; returns the processes that were in it."""
    tree = descendants(root)
    for pid in tree:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return tree
