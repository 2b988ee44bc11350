"""The user that untrusted code becomes, and how many of its processes run already."""

from __future__ import annotations

import os
import random
from pathlib import Path

from mlxlab.core.errors import SandboxUnavailable

_WIDE = range(1_500_000_000, 2_000_000_000)
_NARROW = range(30_000, 60_000)
"""Where this machine itself is a container that knows 65,536 users."""

_OURS = 3
"""Zygote, supervisor and init, where they are the same user as the program."""


def fresh_user() -> int | None:
    """A user id that nothing else is likely to have; None where only root could take one."""
    if os.geteuid() != 0:
        return None
    known = [line.split() for line in Path("/proc/self/uid_map").read_text().splitlines()]
    for users in (_WIDE, _NARROW):
        if any(int(low) <= users[0] and users[-1] < int(low) + int(size) for low, _, size in known):
            return random.SystemRandom().choice(users)
    raise SandboxUnavailable(
        "This machine's root knows no other users, so that the code would run as root.",
        "Run mlx as an ordinary user, or use another sandbox.",
    )


def already_counted(*, isolated: bool, uid: int | None) -> int:
    """Processes that count against the program's limit although they are not its own."""
    if uid is not None:
        return 0
    if isolated:
        return _OURS
    return sum(_threads(folder) for folder in Path("/proc").glob("[0-9]*"))


def _threads(process: Path) -> int:
    try:
        mine = process.stat().st_uid == os.geteuid()
        return len(list((process / "task").iterdir())) if mine else 0
    except OSError:
        return 0
