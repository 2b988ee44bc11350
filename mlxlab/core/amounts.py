"""Amounts as people write them: durations and sizes. Standard library only."""

from __future__ import annotations

import math
import re

_YEAR_S = 365 * 86400
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt])?(?:i?b)?")
_DURATION = re.compile(r"(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s?)?")


def seconds_of(text: str) -> float:
    """A duration in seconds, more than none: 90, 90s, 30m, 2h, 1h30m; else ValueError."""
    match = _DURATION.fullmatch(text.strip().lower())
    parts = match.groups() if match else ()
    total = sum(float(p) * size for p, size in zip(parts, (3600, 60, 1), strict=False) if p)
    if not any(parts) or not 0 < total < math.inf:
        raise ValueError(f"'{text}' is no duration; write 90, 90s, 30m or 2h")
    if total > _YEAR_S:
        raise ValueError(f"'{text}' is longer than a year")
    return total


def bytes_of(text: str) -> int:
    """A size in bytes, powers of 1024: 500M, 2G, 1.5GB, 1048576; else ValueError."""
    match = _SIZE.fullmatch(text.strip().lower())
    value = float(match[1]) * 1024 ** " kmgt".index(match[2] or " ") if match else 0.0
    if not 1 <= value < 1 << 60:
        raise ValueError(f"'{text}' is no size; write 500M or 2G")
    return int(value)
