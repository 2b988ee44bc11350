"""What came of actions that were carried out before: deterministic programs are run once."""

from __future__ import annotations

from pathlib import Path


class TransitionCache:
    """Outcomes by the hash of task, data, start state, action, limits, sandbox and seed.

    Kept in a folder as JSON lines that survive a kill; private scores in a file of their own, mode
    0600. Rewards are no part of it: they depend on the state's own score.

    Args:
        folder: None keeps it in memory.
    """

    def __init__(self, folder: Path | None = None) -> None:
        raise NotImplementedError
