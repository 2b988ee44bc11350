"""What makes a training small enough to be put to the checks of every trainer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_ACTIONS = {"max_completion_tokens": 3, "threads": 1}
ACTIONS: Mapping[str, Any] = {
    **_ACTIONS,
    "steps": 2,
    "states_per_step": 2,
    "generations": 4,
    "lr": 0.005,
}
"""Options of a trainer that takes single actions: two steps, in seconds."""
EPISODES: Mapping[str, Any] = {
    **_ACTIONS,
    "steps": 2,
    "starts_per_step": 2,
    "episodes": 2,
    "turns": 2,
    "lr": 0.01,
}
"""Options of one that plays whole episodes."""
EXAMPLES: Mapping[str, Any] = {"steps": 2, "batch": 4, "validation": 0, "threads": 1}
"""Options of one that learns recorded answers."""


def tiny(options: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """What a trainer of models says in its `conformance`."""
    return {"checkpoint": True, "options": {**options, **more}}
