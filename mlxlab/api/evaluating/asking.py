"""Policies asked about many states at once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from random import Random

from mlxlab.core.errors import ContextTooLong
from mlxlab.core.policy import Policy, PolicyRequest
from mlxlab.core.records import Completion
from mlxlab.core.scaffold import Scaffold
from mlxlab.core.training.states import State

AT_ONCE = 64
"""Requests in flight: enough to fill a batch of a model in this process."""


def request_of(state: State, seed: int, index: int) -> PolicyRequest:
    """The request for one sample at a state; its seed differs for each and repeats."""
    return PolicyRequest(
        messages=tuple(state.messages()),
        decision=state.decision,
        task=state.info,
        seed=Random(f"{seed}:{state.id}:{index}").getrandbits(31),
    )


async def answers(
    policy: Policy, scaffold: Scaffold, requests: Sequence[PolicyRequest], at_once: int = AT_ONCE
) -> list[Completion]:
    """One completion for each request, each with its text; a prompt too long is an empty answer.

    A failure cancels what is under way and what was not asked yet.

    Raises:
        PolicyError: the policy failed.
    """
    gate = asyncio.Semaphore(at_once)

    async def one(request: PolicyRequest) -> Completion:
        async with gate:
            try:
                found = await policy.act(request)
            except ContextTooLong as error:
                return Completion(notes=(str(error),))
        return _written(found, scaffold, request)

    try:
        async with asyncio.TaskGroup() as group:
            asked = [group.create_task(one(request)) for request in requests]
    except BaseExceptionGroup as failed:
        first = failed.exceptions[0]
        raise first from first.__cause__
    return [task.result() for task in asked]


def _written(found: Completion, scaffold: Scaffold, request: PolicyRequest) -> Completion:
    """A policy may choose an action instead of writing text."""
    if found.action is None or found.text:
        return found
    text = scaffold.render(request.decision, found.action)
    return found.model_copy(update={"text": text})
