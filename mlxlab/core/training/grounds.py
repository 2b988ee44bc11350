"""The tasks that actions are taken in, each prepared once, beside the event loop."""

from __future__ import annotations

import asyncio

from mlxlab.core.components import task_spec
from mlxlab.core.errors import TaskError
from mlxlab.core.planning import Ground, ground_of
from mlxlab.core.registry import Registry
from mlxlab.core.training.states import State

AT_ONCE = 2
"""How many tasks are prepared at one time."""


class Grounds:
    """Tasks by their specs, for one event loop; one that cannot be prepared is not tried again."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._found: dict[str, asyncio.Future[Ground]] = {}
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def of(self, spec: str) -> Ground:
        """A task with its public files and answers; raises MlxError."""
        if spec not in self._found:
            self._found[spec] = asyncio.ensure_future(self._prepared(spec))
        return await asyncio.shield(self._found[spec])

    async def under(self, state: State) -> Ground:
        """The task of a state; raises MlxError where it is not what it was then."""
        ground = await self.of(state.task)
        then, now = state.info, ground.info
        if (now.data_hash, now.starter) != (then.data_hash, then.starter):
            raise TaskError(
                f"The data of task '{then.id}' is not what {state.id} was recorded with."
            )
        return ground

    async def _prepared(self, spec: str) -> Ground:
        async with self._turns:
            return await asyncio.to_thread(self._prepare, spec)

    def _prepare(self, spec: str) -> Ground:
        return ground_of(self._registry.create("task", task_spec(spec, self._registry)))
