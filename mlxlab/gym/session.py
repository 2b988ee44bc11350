"""The sandbox of one environment, open from its first reset to its end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from mlxlab.core.actions import Action
from mlxlab.core.assisted import Consult
from mlxlab.core.environment import Environment, Transition
from mlxlab.core.errors import SandboxError, SandboxUnavailable
from mlxlab.core.hooks import ActionHandler
from mlxlab.core.planning import Ground
from mlxlab.core.records import Decision
from mlxlab.core.reward import Reward
from mlxlab.core.sandbox import Packages, Sandbox, SandboxSetup
from mlxlab.core.states import StateStore
from mlxlab.core.task import Grade


class Session:
    """Core's Environment over one sandbox; a sandbox whose engine fails is replaced once a step.

    Args:
        make: makes a sandbox.
        scratch: a folder of its own.
        rewards: by the names that their values are recorded under.
        cores: processor cores that a program may use.
    """

    def __init__(
        self,
        make: Callable[[], Sandbox],
        scratch: Path,
        ground: Ground,
        rewards: Mapping[str, Reward],
        cores: int,
    ) -> None:
        self._make = make
        self._scratch = scratch
        self._ground = ground
        self._rewards = rewards
        self._cores = cores
        self._sandbox: Sandbox | None = None

    async def packages(self) -> Packages:
        """What programs find."""
        return await (await self._opened()).packages()

    async def transition(
        self,
        states: StateStore,
        handlers: Mapping[str, ActionHandler],
        decision: Decision,
        action: Action | None,
        problem: str,
        consult: Consult | None,
    ) -> tuple[Transition, Grade | None]:
        """Take the action; see `Environment.transition`."""

        async def taken() -> tuple[Transition, Grade | None]:
            sandbox = await self._opened()
            environment = Environment(
                self._ground.info, self._ground.grader, sandbox, states, self._rewards, handlers,
                owner=self._ground.owner,
            )  # fmt: skip
            return await environment.transition(decision, action, problem=problem, consult=consult)

        try:
            return await taken()
        except SandboxUnavailable:
            raise
        except SandboxError:
            with suppress(Exception):  # what broke the engine is the error to tell
                await self.close()
            return await taken()
        except BaseException:  # interrupted: nobody knows how far the sandbox came
            with suppress(Exception):
                await self.close()
            raise

    async def close(self) -> None:
        """Close the sandbox; a second call does nothing."""
        sandbox, self._sandbox = self._sandbox, None
        if sandbox is not None:
            await sandbox.close()

    async def _opened(self) -> Sandbox:
        if self._sandbox is None:
            self._scratch.mkdir(parents=True, exist_ok=True)
            setup = SandboxSetup(
                scratch=self._scratch,
                inputs=self._ground.inputs,
                hidden=self._ground.hidden,
                cores=self._cores,
            )
            sandbox = self._make()
            await sandbox.open(setup)
            self._sandbox = sandbox
        return self._sandbox
