"""What is done about a vote: it is recorded, and the next choice reads it there."""

from __future__ import annotations

from mlxlab.core.actions import CustomAction
from mlxlab.core.hooks import ActionHandler, hookimpl
from mlxlab.core.records import Observation
from mlxlab.core.sandbox import Sandbox

from mlx_best_of_n.election import ACTION


async def counted(action: CustomAction, sandbox: Sandbox) -> Observation:
    """Carry a vote out; the workspace is left alone."""
    return Observation(status="ok", message=f"A vote for draft {action.arguments['elected']}.")


@hookimpl
def mlx_action_handlers() -> dict[str, ActionHandler]:
    """The handler of votes."""
    return {ACTION: counted}
