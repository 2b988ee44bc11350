"""The environments of a run's workers, made when they are first needed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from mlxlab.core.actions import Action
from mlxlab.core.assisted import Consult
from mlxlab.core.environment import Environment, Transition
from mlxlab.core.errors import SandboxError, SandboxUnavailable
from mlxlab.core.hooks import Hooks
from mlxlab.core.records import Decision
from mlxlab.core.task import Grade

Make = Callable[[int], Awaitable[Environment]]


class EnvironmentPool:
    """One environment a worker; a sandbox whose engine fails is replaced once a step.

    Args:
        make: opens the environment of worker k.
        workers: how many there may be.
        hooks: who hears of sandboxes that cannot be closed.
    """

    def __init__(self, make: Make, workers: int, hooks: Hooks | None = None) -> None:
        self._make = make
        self._hooks = hooks or Hooks()
        self._free: asyncio.Queue[int] = asyncio.Queue()
        self._opening: dict[int, asyncio.Future[Environment]] = {}
        for worker in range(workers):
            self._free.put_nowait(worker)

    async def first(self) -> Environment:
        """The first worker's environment, for what is asked before any step."""
        return await self._get(0)

    def open_soon(self, workers: int) -> None:
        """Begin to open the environments of the first workers, while nobody waits for them."""
        for worker in range(workers):
            self._begin(worker)

    async def transition(
        self,
        decision: Decision,
        action: Action | None,
        problem: str,
        consult: Consult | None = None,
    ) -> tuple[Transition, Grade | None]:
        """Take the action in a free environment; see `Environment.transition`."""
        worker = await self._free.get()
        try:
            try:
                environment = await self._get(worker)
                return await environment.transition(
                    decision, action, problem=problem, consult=consult
                )
            except SandboxUnavailable:
                raise
            except SandboxError:
                await self._drop(worker)
                environment = await self._get(worker)
                return await environment.transition(
                    decision, action, problem=problem, consult=consult
                )
        finally:
            self._free.put_nowait(worker)

    async def close(self) -> None:
        """Close every sandbox, those that are still being opened too."""
        for opening in self._opening.values():
            opening.cancel()
        for worker in list(self._opening):
            with suppress(asyncio.CancelledError):  # a second interrupt leaves none of them open
                await self._drop(worker)

    def _begin(self, worker: int) -> asyncio.Future[Environment]:
        if worker not in self._opening:
            self._opening[worker] = asyncio.ensure_future(self._make(worker))
        return self._opening[worker]

    async def _get(self, worker: int) -> Environment:
        opening = self._begin(worker)
        try:
            return await asyncio.shield(opening)
        except Exception:
            self._opening.pop(worker, None)
            raise

    async def _drop(self, worker: int) -> None:
        opening = self._opening.pop(worker, None)
        if opening is None:
            return
        await asyncio.wait([opening])
        if opening.cancelled() or opening.exception() is not None:
            return
        # A broken engine may fail to close too; what broke it is the error to tell.
        try:
            await opening.result().sandbox.close()
        except Exception as error:
            self._hooks.swallowed(error)
