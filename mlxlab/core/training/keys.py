"""What makes two executions the same: the key that an outcome is kept under."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from mlxlab.core.actions import Action
from mlxlab.core.records import Limits
from mlxlab.core.training.states import State

TOLD = frozenset({"request_info", "custom"})
"""Actions whose outcome may depend on what the agent was told of the task."""
EDITED = frozenset({"edit_script", "understand_file"})
"""Actions whose outcome depends on the editor."""
_SAID = frozenset({"plan", "text"})
"""Fields of actions that no outcome depends on."""


def outcome_key(
    state: State,
    action: Action,
    *,
    limits: Limits,
    sandbox: str,
    seed: int,
    probe: bool,
    editor: str = "",
) -> str:
    """The hash of all that an outcome depends on; a score or a reward is no part of it.

    Args:
        state: the task, its data and the start state.
        action: its plan does not matter.
        limits: of the execution.
        sandbox: the sandbox's spec and version.
        seed: of the execution.
        probe: whether the entrypoint is run after the action.
        editor: who carries out edits.
    """
    info = state.info
    parts: list[Any] = [
        info.id,
        info.data_hash,
        sorted(info.starter.items()),
        state.decision.start,
        action.model_dump(mode="json", exclude=set(_SAID)),
        limits.model_dump(mode="json"),
        sandbox,
        seed,
        probe,
        editor if action.type in EDITED else "",
        info.description if action.type in TOLD else "",
    ]
    said = json.dumps(parts, sort_keys=True)
    return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()
