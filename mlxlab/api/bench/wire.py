"""How bench and workers talk: lines of JSON over the worker's standard streams.

To a worker: `run` (a cell), `granted` and `refused` (a call's reservation), `stop`. From a worker:
`ready`, `begun` (a run's id), `step`, `paused`, `hold` and `release` (reservations), `spent` (a
call), `ended` (how, and whether the worker leaves with it).
"""

from __future__ import annotations

import json
from typing import Any

Message = dict[str, Any]
LONGEST = 1 << 22
"""Bytes of a line: far above any message."""


def line(kind: str, **fields: Any) -> bytes:
    """One message."""
    return json.dumps({"kind": kind, **fields}).encode() + b"\n"


def read(data: bytes) -> Message | None:
    """A line as a message; None for what is none, such as a dying process's last half."""
    try:
        found = json.loads(data)
    except ValueError:
        return None
    return found if isinstance(found, dict) and "kind" in found else None
