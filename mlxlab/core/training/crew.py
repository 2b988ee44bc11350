"""Carries out actions in open sandboxes, so many at one time."""

from __future__ import annotations

import asyncio
import time
import traceback
from collections import Counter
from collections.abc import Coroutine, Mapping
from concurrent.futures import Future
from dataclasses import dataclass

from mlxlab.core.actions import Action
from mlxlab.core.assisted import Consult
from mlxlab.core.environment import Effect, Environment
from mlxlab.core.errors import MlxError, RecordError, SandboxError, SandboxUnavailable
from mlxlab.core.hooks import ActionHandler, Hooks
from mlxlab.core.planning import Ground
from mlxlab.core.records import Limits, Observation
from mlxlab.core.reward import Reward
from mlxlab.core.sandbox import Packages, Snapshot
from mlxlab.core.training.consulting import EditorError
from mlxlab.core.training.grounds import Grounds
from mlxlab.core.training.sandboxes import Opened, Sandboxes
from mlxlab.core.training.states import State
from mlxlab.core.training.stores import Stores

CLOSED = "The arena was closed before the action was carried out."


@dataclass(frozen=True)
class Done:
    """What carrying out came to: an effect with its wall time, or why there is none.

    Args:
        repeats: whether the same would come of doing it again, as far as anybody knows.
    """

    effect: Effect | None
    seconds: float = 0.0
    failed: str = ""
    repeats: bool = True


@dataclass(frozen=True)
class Job:
    """One action that is to be carried out; `ended` hears what came of it, and never fails."""

    state: State
    action: Action
    limits: Limits
    consult: Consult | None
    ended: Future[Done]


@dataclass(frozen=True)
class Rules:
    """What all executions of an arena have in common; the rewards say whether to probe.

    Args:
        owners: whose each reward is, by its name.
        hooks: who hears of failures that cost no action.
    """

    rewards: Mapping[str, Reward]
    handlers: Mapping[str, ActionHandler]
    seed: int
    keep: bool
    owners: Mapping[str, str]
    hooks: Hooks


class Crew:
    """The jobs of one event loop: those whose task has a free sandbox first.

    Then those whose task has none open, then the oldest for which it pays to open another one.

    Args:
        workers: how many are carried out at one time.
    """

    def __init__(
        self, grounds: Grounds, sandboxes: Sandboxes, stores: Stores, rules: Rules, workers: int
    ) -> None:
        self._grounds = grounds
        self._sandboxes = sandboxes
        self._stores = stores
        self._rules = rules
        self._free = workers
        self._waiting: list[tuple[Job, Ground]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._packages: dict[frozenset[str], Packages] = {}
        self._asking = asyncio.Lock()
        self._lasted_s: dict[str, float] = {}
        self._unavailable = ""
        self._closed = False

    def add(self, job: Job) -> None:
        """Take in a job; called in the loop."""
        self._begin(job, self._admit(job))

    async def packages(self, task: str) -> Packages:
        """What code finds in the sandbox of a task; raises MlxError.

        Asked for once of all tasks that hide the same.
        """
        ground = await self._grounds.of(task)
        hidden = frozenset(ground.hidden)
        async with self._asking:
            if hidden not in self._packages:
                self._packages[hidden] = await self._found(task, ground)
        return self._packages[hidden]

    async def _found(self, task: str, ground: Ground) -> Packages:
        opened = self._sandboxes.idle(task) or await self._opened(task, ground)
        try:
            found = await opened.sandbox.packages()
            self._sandboxes.give_back(opened)
        except BaseException:
            await self._sandboxes.drop(opened)
            raise
        finally:
            self._dispatch()
        return found

    async def close(self) -> None:
        """End every job and close every sandbox."""
        self._closed = True
        while self._tasks:
            for task in self._tasks:
                task.cancel()
            await asyncio.wait(self._tasks)
        for job, _ in self._waiting:
            job.ended.set_result(Done(None, failed=CLOSED))
        self._waiting.clear()
        await self._sandboxes.close()

    def _begin(self, job: Job, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)

        def over(task: asyncio.Task[None]) -> None:
            self._tasks.discard(task)
            if task.cancelled() and not job.ended.done():
                job.ended.set_result(Done(None, failed=CLOSED))

        task.add_done_callback(over)

    async def _admit(self, job: Job) -> None:
        """Let a job wait for its turn, once its task is prepared."""
        try:
            ground = await self._grounds.under(job.state)
        except Exception as error:
            job.ended.set_result(Done(None, failed=reason(error)))
        else:
            self._waiting.append((job, ground))
            self._dispatch()

    def _dispatch(self) -> None:
        while self._free and not self._closed and (at := self._next()) is not None:
            job, ground = self._waiting.pop(at)
            self._free -= 1
            self._begin(job, self._work(job, ground, self._sandboxes.idle(job.state.task)))

    def _next(self) -> int | None:
        """Which waiting job is begun; None where a sandbox at work will sooner be free for it."""
        tasks = [job.state.task for job, _ in self._waiting]
        waiting, open_ones = Counter(tasks), self._sandboxes

        def pays(task: str) -> bool:
            lasts, opening = self._lasted_s.get(task), open_ones.open_s
            return (
                lasts is None
                or opening is None
                or lasts * waiting[task] / open_ones.count(task) > opening
            )

        for fits in (open_ones.has_idle, lambda task: not open_ones.count(task), pays):
            good = {task for task in waiting if fits(task)}
            found = next((at for at, task in enumerate(tasks) if task in good), None)
            if found is not None:
                return found
        return None

    async def _work(self, job: Job, ground: Ground, opened: Opened | None) -> None:
        try:
            done = await self._done(job, ground, opened)
        except Exception as error:
            done = Done(None, failed=reason(error))
        finally:
            self._free += 1
        job.ended.set_result(done)
        self._dispatch()

    async def _done(self, job: Job, ground: Ground, opened: Opened | None) -> Done:
        """Carry a job out; a sandbox whose engine fails is replaced once."""
        try:
            return await self._tried(job, ground, opened)
        except SandboxUnavailable:
            raise
        except SandboxError:
            return await self._tried(job, ground, None)

    async def _tried(self, job: Job, ground: Ground, opened: Opened | None) -> Done:
        if opened is None:
            opened = await self._opened(job.state.task, ground)
        try:
            done = await self._carried(job, ground, opened)
        except RecordError:
            self._sandboxes.give_back(opened)  # whatever it holds now, the next restore mends it
            raise
        except BaseException:
            await self._sandboxes.drop(opened)
            raise
        self._sandboxes.give_back(opened)
        return done

    async def _opened(self, task: str, ground: Ground) -> Opened:
        """A new sandbox; a machine that cannot isolate is not asked again."""
        if self._unavailable:
            raise SandboxUnavailable(self._unavailable)
        try:
            return await self._sandboxes.open(task, ground)
        except SandboxUnavailable as error:
            self._unavailable = str(error)
            raise

    async def _carried(self, job: Job, ground: Ground, opened: Opened) -> Done:
        rules, state = self._rules, job.state
        if self._stores.takes_over(state):
            states = await asyncio.to_thread(self._stores.of, state)
        else:
            states = self._stores.of(state)
        environment = Environment(
            state.info, ground.grader, opened.sandbox, states, rules.rewards, rules.handlers,
            rules.owners, ground.owner, rules.hooks,
        )  # fmt: skip
        decision = state.decision.model_copy(update={"limits": job.limits})
        began, repeats = time.monotonic(), True
        try:
            effect = await environment.carry_out(
                decision, job.action, consult=job.consult, seed=rules.seed, keep=rules.keep
            )
        except EditorError as error:
            seen = Observation(status="error", message=f"The editor could not be asked: {error}")
            effect, repeats = Effect(seen, Snapshot(state=None)), False
        # Somebody may have killed it from outside, and a program that does so itself is cheap.
        repeats = repeats and effect.observation.status != "killed"
        lasted = time.monotonic() - began
        self._lasted_s[state.task] = lasted
        return Done(effect, lasted, repeats=repeats)


def reason(error: Exception) -> str:
    """Why something failed, in one line."""
    if isinstance(error, MlxError):
        return " ".join(str(error).split())
    return traceback.format_exception_only(error)[-1].strip()
