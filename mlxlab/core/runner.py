"""The loop: propose, ask, carry out, record, until the budget or the scaffold says stop."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Awaitable
from contextlib import suppress
from pathlib import Path

from mlxlab.core.boundary import Boundary, cause_of, whose
from mlxlab.core.budget import Budget
from mlxlab.core.calls import Caller
from mlxlab.core.choices import choice_of
from mlxlab.core.clock import now
from mlxlab.core.draws import of_choice
from mlxlab.core.errors import BudgetSpent, MlxError, PluginError, RecordError, TimeUp
from mlxlab.core.hooks import Hooks
from mlxlab.core.manifest import Best, RunManifest, RunStatus
from mlxlab.core.order import Order
from mlxlab.core.policy import Policy
from mlxlab.core.pool import EnvironmentPool
from mlxlab.core.records import Decision, PrivateScore, Step
from mlxlab.core.runs import RunWriter
from mlxlab.core.sandbox import Packages
from mlxlab.core.scaffold import Scaffold, Stop, Wait
from mlxlab.core.selection import best_node, describe, keep_best
from mlxlab.core.standing import Standing, ends
from mlxlab.core.states import StateStore
from mlxlab.core.tree import Node, RunContext, TreeView
from mlxlab.core.watch import watched_loop

Recorded = tuple[Step, PrivateScore]

SAVE_EVERY_S = 0.25
"""At most so often run.json is written while steps come in: it repeats what they say."""


class Runner:
    """Drives one run and owns its record.

    A run that was killed is resumed by making a Runner over the same folder: recorded steps are
    kept, and a step whose policy calls were recorded takes its decision and its answers from
    there, so that nothing is paid twice.

    Args:
        order: the order of a recorded run, to be followed step for step.
    """

    def __init__(
        self,
        manifest: RunManifest,
        context: RunContext,
        scaffold: Scaffold,
        caller: Caller,
        environments: EnvironmentPool,
        writer: RunWriter,
        states: StateStore,
        budget: Budget,
        hooks: Hooks,
        order: Order | None = None,
    ) -> None:
        self.manifest = manifest
        self._order = order
        self._context = context
        self._scaffold = scaffold
        self._caller = caller
        self._environments = environments
        self._writer = writer
        self._states = states
        self._budget = budget
        self._hooks = hooks
        self._packages: Packages | None = None
        self._in_flight: dict[asyncio.Task[Recorded], Decision] = {}
        self._ended: str | None = None
        self._saved = 0.0
        self._load()

    @property
    def folder(self) -> Path:
        """The run's folder."""
        return self._writer.path

    @property
    def policies(self) -> tuple[Policy, ...]:
        """Who is asked: the policy, and the editor if there is one."""
        return self._caller.policies

    @property
    def best(self) -> Best | None:
        """The selected one of the steps recorded so far; the manifest may not have it yet."""
        return describe(best_node(self.manifest.task.metric, self._nodes))

    def _load(self) -> None:
        """Take up what an earlier process recorded."""
        scores = self._writer.private_scores()
        self._private: dict[int, float | None] = {k: s.score for k, s in scores.items()}
        self._standing = Standing()
        self._nodes: list[Node] = []
        for step in self._writer.steps():
            self._add(step)
            self._budget.count_step()
        done = self._standing.steps
        self._unfinished = [d for d in self._caller.decisions() if d.step not in done]
        self._taken = done | {decision.step for decision in self._unfinished}
        self._next = 0

    async def run(self) -> RunManifest:
        """Run to the end; returns the closing manifest.

        Raises:
            MlxError: a component failed for good; the run is recorded and can be resumed.
            asyncio.CancelledError: interrupted; likewise.
        """
        with watched_loop():
            return await self._run()

    def abandon(self, error: str) -> None:
        """Write that the run failed, where its thread can be given nothing more to do."""
        self._save("failed", error)

    async def _run(self) -> RunManifest:
        status: RunStatus = "failed"
        error: str | None = None
        # A full collection takes tens of milliseconds once libraries are loaded, and finds nothing
        # in what was there before the run.
        gc.freeze()
        try:
            self._save("running")
            self._hooks.run_started(self.manifest)
            first = await self._environments.first()
            self._packages = await first.sandbox.packages()
            left = self._budget.remaining().steps or 0
            self._environments.open_soon(min(self.manifest.workers, left))
            await self._loop()
            status = "done"
        except asyncio.CancelledError:
            status = "interrupted"
            raise
        except MlxError as caught:
            error = str(caught)
            raise
        except Exception as caught:
            error = cause_of(caught)
            raise
        finally:
            gc.unfreeze()
            await self._close(status, error)
        return self.manifest

    async def _loop(self) -> None:
        """Keep every worker busy; whoever ends first is recorded first.

        After a failure no further step is started, and those in flight are let to their ends,
        since their calls are paid.
        """
        failure: BaseException | None = None
        while True:
            try:
                waits = self._fill() if failure is None else False
            except Exception as caught:
                waits, failure = False, caught
                self._caller.give_up()
            if not self._in_flight and waits:
                told = f"{self._choosing} waits although no step is in flight."
                raise PluginError(told, owner=self._choosing, call="propose")
            if not self._in_flight:
                break
            for task in await self._ended_now():
                del self._in_flight[task]
                if (error := task.exception()) is None:
                    self._record(*task.result())
                elif isinstance(error, TimeUp) and self._nodes:
                    self._ended = self._ended or f"the time is up; the last call failed: {error}"
                elif isinstance(error, BudgetSpent):
                    self._ended = self._ended or self._budget.spent_out()
                else:
                    failure = failure or error
                    self._caller.give_up()
        if failure is not None:
            raise failure

    async def _ended_now(self) -> list[asyncio.Task[Recorded]]:
        """Wait for what is to be recorded next; in a recorded order, the step whose turn it is."""
        turn = self._order.next_recorded(len(self._nodes)) if self._order else None
        due = [task for task, decision in self._in_flight.items() if decision.step == turn]
        waiting = due or self._in_flight
        ended, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        return sorted(ended, key=lambda task: self._in_flight[task].step)

    def _fill(self) -> bool:
        """Start steps while workers are free; returns whether the scaffold wants to wait.

        A step whose answer is paid already is carried out whatever the budget says.
        """
        if self._order is not None:
            self._fill_in_order(self._order)
            return False
        while len(self._in_flight) < self.manifest.workers:
            self._ended = self._ended or self._budget.exhausted(len(self._in_flight))
            if self._unfinished:
                begun = self._unfinished.pop(0)
                if not self._ended or self._caller.paid(begun):
                    self._start(begun)
                continue
            if self._ended:
                return False
            choice = self._propose()
            if isinstance(choice, Wait):
                return True
            if isinstance(choice, Stop):
                self._ended = f"the scaffold stopped: {choice.reason}"
            else:
                self._start(choice)
        return False

    def _fill_in_order(self, order: Order) -> None:
        """Start the steps that were started at this moment of the recorded run."""
        while (number := self._due(order)) is not None:
            begun = next((d for d in self._unfinished if d.step == number), None)
            self._unfinished = [d for d in self._unfinished if d.step != number]
            self._ended = self._ended or self._budget.exhausted(len(self._in_flight))
            if self._ended and not (begun and self._caller.paid(begun)):
                return
            self._next = number
            choice = begun or self._propose()
            if not isinstance(choice, Decision):
                what = "wait" if isinstance(choice, Wait) else "stop"
                raise PluginError(
                    f"{self._choosing} wants to {what} where the recorded run chose step {number}.",
                    "Replay with the scaffold, seed and options of the recorded run.",
                )
            self._start(choice)
        if not self._in_flight:
            self._ended = self._ended or self._budget.exhausted() or "the recorded run ends here"
        if not self._in_flight:
            self._ended = self._ended or "the recorded steps are done"

    def _due(self, order: Order) -> int | None:
        return order.dispatch(len(self._nodes), [d.step for d in self._in_flight.values()])

    def _propose(self) -> Decision | Wait | Stop:
        while self._next in self._taken:
            self._next += 1
        rng = of_choice(self._context.seed, self._next)
        with Boundary(self._choosing, "propose"):
            choice: object = self._scaffold.propose(self._tree(), rng)
        return choice_of(self._choosing, choice, self._next)

    @property
    def _choosing(self) -> str:
        return whose(self._context.scaffold)

    def _start(self, decision: Decision) -> None:
        tree = self._tree()
        self._taken.add(decision.step)
        self._hooks.step_started(decision)
        self._in_flight[asyncio.create_task(self._step(decision, tree))] = decision

    async def _step(self, decision: Decision, tree: TreeView) -> Recorded:
        """Ask the policy, carry out the action, and hand back what is to be recorded."""
        started = now()
        answer = await self._caller.answer(decision, tree)
        decision = self._completed(answer.decision)
        self._hooks.action_started(decision, answer.action)
        consult = self._caller.consultation(answer.decision, tree, len(answer.calls))
        transition, grade = await self._environments.transition(
            decision, answer.action, answer.problem, consult
        )
        step = Step(
            run_id=self.manifest.run_id,
            step=decision.step,
            parent=decision.parent,
            decision=decision,
            calls=(*answer.calls, *consult.calls),
            prompt=answer.prompt,
            completion=answer.completion,
            action=answer.action,
            state=decision.start,
            started_at=started,
            ended_at=now(),
            **dict(transition),
        )
        private = PrivateScore(
            step=decision.step,
            score=grade.private if grade else None,
            standard_error=grade.private_standard_error if grade else None,
        )
        return step, private

    def _completed(self, decision: Decision) -> Decision:
        """The decision with m_t, which not every feedback mode tells, the time left, the place."""
        score = self._standing.after(decision.parent)
        left = self._budget.remaining().time_s
        wall_s = decision.limits.wall_s
        if left is not None and left < wall_s:
            wall_s = max(1.0, round(left, 1))
        limits = decision.limits.model_copy(update={"wall_s": wall_s})
        place = self._context.sandbox  # another than it was begun in, if the run was resumed so
        return decision.model_copy(update={"score": score, "limits": limits, "sandbox": place})

    def _record(self, step: Step, private: PrivateScore) -> None:
        self._writer.add_step(step, private)
        self._private[step.step] = private.score
        self._add(step)
        self._budget.count_step()
        if time.monotonic() > self._saved + SAVE_EVERY_S:
            self._save("running")
        self._hooks.step_recorded(step)

    def _add(self, step: Step) -> None:
        self._nodes.append(Node(step, self._context.feedback, self._private.get(step.step)))
        self._standing.add(step)
        if ends(step):
            self._ended = "the agent gave its final answer"

    def _tree(self) -> TreeView:
        assert self._packages is not None
        return TreeView(
            self.manifest.task,
            self._context,
            self._packages,
            self._nodes,
            tuple(self._in_flight.values()),
            self._budget.remaining(len(self._in_flight)),
            self._next,
        )

    def _save(self, status: RunStatus, error: str | None = None) -> None:
        update = {
            "status": status,
            "error": error,
            "ended": self._ended if status == "done" else None,
            "spent": self._budget.spent(),
            "best": self.best,
            "packages": self._packages.versions if self._packages else {},
            "broken": {**self.manifest.broken, **self._hooks.broken},
        }
        self.manifest = self.manifest.model_copy(update=update)
        self._writer.write_manifest(self.manifest)
        self._saved = time.monotonic()

    async def _close(self, status: RunStatus, error: str | None) -> None:
        """Write how it ended, then close everything; none of that hides how it ended."""
        try:
            for task in self._in_flight:
                task.cancel()
            await asyncio.gather(*self._in_flight, return_exceptions=True)
            with suppress(OSError, RecordError):
                self._save(status, error)
                self._keep_best()
            await self._quietly(self._environments.close())
            await self._quietly(self._caller.close())
            self._hooks.run_ended(self.manifest)
            if self._hooks.broken != self.manifest.broken:
                with suppress(OSError, RecordError):
                    self._save(status, error)
        finally:
            self._writer.close()

    def _keep_best(self) -> None:
        best = best_node(self.manifest.task.metric, self._nodes)
        keep_best(self._writer.path / "best", self._states, self.manifest.task, best)

    async def _quietly(self, closing: Awaitable[None]) -> None:
        """Close something that the run no longer needs; what it has to say is told at the end."""
        try:
            await closing
        except Exception as error:
            self._hooks.swallowed(error)
