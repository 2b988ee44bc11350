"""The editor, asked without a run: what a scaffold delegates is carried out in training too."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Sequence
from random import Random

from mlxlab.core.assisted import Consult
from mlxlab.core.errors import ContextTooLong, PolicyError
from mlxlab.core.policy import Policy, PolicyRequest
from mlxlab.core.records import Completion, Message, Role
from mlxlab.core.training.states import State

TRY_S = 600.0
WAITS_S = (1.0, 5.0, 20.0)
"""Before each further try of a call that may succeed later."""


class EditorError(Exception):
    """The editor gave no answer: the action that needs one fails, the training goes on."""


def consult(editor: Policy, state: State) -> Consult:
    """What one action asks the editor with; asked the same twice, it gives the same answer."""
    answers: dict[tuple[Role, tuple[Message, ...]], Completion] = {}

    async def ask(role: Role, messages: Sequence[Message]) -> Completion | None:
        asked = role, tuple(messages)
        if asked not in answers:
            index = 1 + len(answers)
            decision = state.decision
            request = PolicyRequest(
                messages=asked[1],
                decision=decision,
                task=state.info,
                role=role,
                index=index,
                seed=Random(f"{decision.seed}:{decision.step}:{index}").getrandbits(31),
            )
            answers[asked] = await _answered(editor, request)
        return answers[asked]

    return ask


async def _answered(editor: Policy, request: PolicyRequest) -> Completion:
    for wait in (*WAITS_S, None):
        try:
            async with asyncio.timeout(TRY_S):
                return await editor.act(request)
        except ContextTooLong:
            raise
        except PolicyError as error:
            if wait is None or not error.retryable:
                raise EditorError(str(error)) from error
        except Exception as error:
            cause = traceback.format_exception_only(error)[-1].strip()
            raise EditorError(cause) from error
        await asyncio.sleep(wait)
    raise AssertionError("the last try returns or raises")
