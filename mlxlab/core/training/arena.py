"""The environments of many tasks, where trainers and evaluations take single actions."""

from __future__ import annotations

import atexit
import os
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from mlxlab.core.cores import processors
from mlxlab.core.errors import UsageError
from mlxlab.core.hooks import Hooks
from mlxlab.core.policy import Policy
from mlxlab.core.records import Completion
from mlxlab.core.registry import Registry
from mlxlab.core.reward import Reward
from mlxlab.core.sandbox import Packages
from mlxlab.core.task import TaskInfo
from mlxlab.core.training.cache import TransitionCache
from mlxlab.core.training.claims import Claimed
from mlxlab.core.training.crew import Crew, Job, Rules
from mlxlab.core.training.grounds import Grounds
from mlxlab.core.training.intake import Intake, Terms
from mlxlab.core.training.loop import LoopThread
from mlxlab.core.training.reading import Reader
from mlxlab.core.training.sandboxes import Sandboxes
from mlxlab.core.training.states import State, Taken
from mlxlab.core.training.stores import Stores
from mlxlab.core.training.totals import Totals

MOST_OPEN = 64
"""Sandboxes that may be open at one time, if no more are at work; an idle one of `local` takes some
10 MB."""


class Arena:
    """Takes single actions from recorded states: parse, restore, run, grade, probe, reward.

    It has an event loop in a thread of its own, so that any thread may submit. Equal actions from
    equal states are carried out once. What was carried out before is judged anew for each state.
    Executions repeat: all of them have one seed, and the limits of their decision but for the
    time, which a run may have had less and less of.

    Args:
        rewards: by the name that `Taken.rewards` gives their values.
        sandbox: the spec of the sandbox that actions run in, whatever the runs were recorded with.
        workers: executions at one time; by default one for each processor.
        cache: what was carried out before; None executes everything.
        editor: who carries out edits that a scaffold delegates; None: such edits fail. Closed with
            the arena.
        editor_name: who that is, for the cache: its spec.
        exec_timeout_s: seconds of one execution; None: as each task says.
        keep_states: whether the workspace after an action is kept, for episodes of several steps.
        folder: where sandboxes work and states are kept; a temporary folder by default.
        registry: makes sandboxes, tasks and scaffolds; by default of all that is installed.
        hooks: give the handlers of custom actions, and hear of failures; None: there are none.
        seed: of every execution.
        trust: whether the tasks of runs that others recorded are carried out too.
        owners: whose each reward is, to say whose fault a failure is; by its name.

    Raises:
        UsageError: there is no such sandbox, or not with these options.
    """

    def __init__(
        self,
        rewards: Mapping[str, Reward],
        *,
        sandbox: str = "local",
        workers: int | None = None,
        cache: TransitionCache | None = None,
        editor: Policy | None = None,
        editor_name: str = "",
        exec_timeout_s: float | None = None,
        keep_states: bool = False,
        folder: Path | None = None,
        registry: Registry | None = None,
        hooks: Hooks | None = None,
        seed: int = 0,
        trust: bool = False,
        owners: Mapping[str, str] | None = None,
    ) -> None:
        registry = registry or Registry.installed()
        made = registry.create("sandbox", sandbox)
        hooks = hooks or Hooks()
        rules = Rules(
            dict(rewards), hooks.action_handlers(), seed, keep_states, owners or {}, hooks
        )
        self._editor = editor
        self._pid = os.getpid()
        self._scratch = Claimed(folder or Path(tempfile.gettempdir()), "mlxlab-arena-")
        self._stores = Stores((folder or self._scratch.path) / "states", keep=keep_states)
        self._grounds = Grounds(registry)
        cpus = len(processors())
        workers = workers or cpus
        sandboxes = Sandboxes(
            registry,
            made.spec,
            self._scratch.path,
            most=max(MOST_OPEN, workers),
            cores=max(1, cpus // workers),
        )
        self._crew = Crew(self._grounds, sandboxes, self._stores, rules, workers)
        named = f"{made.ref.spec} {made.ref.version}"
        terms = Terms(named, exec_timeout_s, editor, editor_name, trust)
        self._intake = Intake(Reader(registry), self._stores, rules, terms, cache, self._start)
        self._loop = LoopThread("mlxlab-arena", workers + 4)
        atexit.register(self.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def submit(self, state: State, completion: Completion) -> Future[Taken]:
        """Parse and carry out one completion; the future never fails for what an engine does."""
        return self._intake.submit(state, completion)

    def take(self, states: Sequence[State], completions: Sequence[Completion]) -> list[Taken]:
        """Carry out one completion for each state and wait for all of them, in their order."""
        pairs = zip(states, completions, strict=True)
        return [answer.result() for answer in [self.submit(*pair) for pair in pairs]]

    def packages(self, state: State) -> Packages:
        """What code finds in the sandbox of a state's task; raises MlxError."""
        if why := self._intake.refused(state):
            raise UsageError(why)
        return self._loop.start(self._crew.packages(state.task)).result()

    def info(self, task: str) -> TaskInfo:
        """A task as agents are told it, by its spec; prepared once. Raises MlxError."""
        return self._loop.start(self._grounds.of(task)).result().info

    def store(self, state: State) -> Path:
        """Where workspaces of a state's task are kept: the `store` of the states that follow."""
        return self._stores.folder(state.info)

    def private_score(self, taken: Taken) -> float | None:
        """The private score of what was taken: for reports alone, never for a trainer."""
        return self._intake.private(taken.key)

    def totals(self) -> Totals:
        """What was done up to now; subtract an earlier one for what was done since."""
        return self._intake.tally.now()

    def close(self) -> None:
        """Close every sandbox and end the thread; a second call does nothing."""
        if not self._intake.close() or os.getpid() != self._pid:
            return  # a forked child has neither the thread nor the sandboxes
        atexit.unregister(self.close)
        try:
            self._loop.start(self._end()).result()
        finally:
            self._loop.stop()
            self._scratch.remove()

    async def _end(self) -> None:
        await self._crew.close()
        if self._editor is not None:
            with suppress(Exception):
                await self._editor.close()

    def _start(self, job: Job) -> None:
        self._loop.loop.call_soon_threadsafe(self._crew.add, job)
