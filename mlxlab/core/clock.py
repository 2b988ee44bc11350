"""Names and times that a record needs."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime


def now() -> datetime:
    """The present moment with its time zone."""
    return datetime.now(UTC)


def run_id(task: str, scaffold: str, policy: str) -> str:
    """A name for a run that sorts by time and says what it is."""
    plain = ("".join(c if c.isalnum() else "_" for c in part) for part in (task, scaffold, policy))
    who = "-".join(part[:40] for part in plain)
    return f"{now():%Y%m%d-%H%M%S}-{who}-{secrets.token_hex(2)}"
