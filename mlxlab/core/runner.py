"""The loop: propose, ask, carry out, record, until the budget or the scaffold says stop."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Mapping
from pathlib import Path
from random import Random

from mlxlab.core.budget import Budget
from mlxlab.core.calls import Caller
from mlxlab.core.clock import now
from mlxlab.core.errors import MlxError, PluginError
from mlxlab.core.hooks import Hooks
from mlxlab.core.manifest import RunManifest, RunStatus
from mlxlab.core.pool import EnvironmentPool
from mlxlab.core.records import Decision, PrivateScore, Step
from mlxlab.core.runs import RunWriter
from mlxlab.core.sandbox import Packages
from mlxlab.core.scaffold import Scaffold, Stop, Wait
from mlxlab.core.selection import best_node, describe, keep_best
from mlxlab.core.states import StateStore
from mlxlab.core.tree import Node, RunContext, TreeView

Recorded = tuple[Step, PrivateScore]


class Runner:
    """Drives one run and owns its record.

    A run that was killed is resumed by making a Runner over the same folder: recorded steps are
    kept, and a step whose policy calls were recorded takes its decision and its answers from
    there, so that nothing is paid twice.
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
    ) -> None:
        self.manifest = manifest
        self._context = context
        self._scaffold = scaffold
        self._caller = caller
        self._environments = environments
        self._writer = writer
        self._states = states
        self._budget = budget
        self._hooks = hooks
        self._packages: Packages | None = None
        self._load()

    @property
    def folder(self) -> Path:
        """The run's folder."""
        return self._writer.path

    def _load(self) -> None:
        """Take up what an earlier process recorded."""
        scores = self._writer.private_scores()
        self._private: dict[int, float | None] = {k: s.score for k, s in scores.items()}
        self._nodes: list[Node] = []
        self._ended = False
        for step in self._writer.steps():
            self._add(step)
            self._budget.count_step()
        done = {node.id for node in self._nodes}
        self._unfinished = [d for d in self._caller.decisions() if d.step not in done]
        known = [*done, *(decision.step for decision in self._unfinished)]
        self._next = max(known, default=-1) + 1
        self._in_flight: dict[asyncio.Task[Recorded], Decision] = {}

    async def run(self) -> RunManifest:
        """Run to the end; returns the closing manifest.

        Raises:
            MlxError: a component failed for good; the run is recorded and can be resumed.
            asyncio.CancelledError: interrupted; likewise.
        """
        self._save("running")
        self._hooks.run_started(self.manifest)
        try:
            first = await self._environments.first()
            self._packages = await first.sandbox.packages()
            await self._loop()
        except asyncio.CancelledError:
            await self._close("interrupted")
            raise
        except MlxError as error:
            await self._close("failed", str(error))
            raise
        except Exception as error:
            cause = traceback.format_exception_only(error)[-1].strip()
            await self._close("failed", cause)
            raise
        await self._close("done")
        return self.manifest

    async def _loop(self) -> None:
        """Keep every worker busy; whoever ends first is recorded first."""
        while True:
            waits = self._fill()
            if not self._in_flight and waits:
                name = self._context.scaffold.name
                raise PluginError(f"The scaffold '{name}' waits although no step is in flight.")
            if not self._in_flight:
                return
            ended, _ = await asyncio.wait(self._in_flight, return_when=asyncio.FIRST_COMPLETED)
            for task in sorted(ended, key=lambda t: self._in_flight[t].step):
                del self._in_flight[task]
                self._record(*task.result())

    def _fill(self) -> bool:
        """Start steps while workers are free; returns whether the scaffold wants to wait."""
        while len(self._in_flight) < self.manifest.workers and not self._ended:
            if self._budget.exhausted(len(self._in_flight)):
                return False
            decision = self._unfinished.pop(0) if self._unfinished else self._propose()
            if isinstance(decision, Wait):
                return True
            if isinstance(decision, Stop):
                self._ended = True
            else:
                self._start(decision)
        return False

    def _propose(self) -> Decision | Wait | Stop:
        rng = Random(f"{self._context.seed}:{self._next}")
        try:
            choice = self._scaffold.propose(self._tree(), rng)
        except Exception as error:
            cause = traceback.format_exception_only(error)[-1].strip()
            name = self._context.scaffold.name
            raise PluginError(f"The scaffold '{name}' failed to propose: {cause}.") from error
        if not isinstance(choice, Decision):
            return choice
        left = self._budget.remaining().time_s
        if left is not None and left < choice.limits.wall_s:
            limits = choice.limits.model_copy(update={"wall_s": max(1.0, round(left, 1))})
            choice = choice.model_copy(update={"limits": limits})
        return choice

    def _start(self, decision: Decision) -> None:
        tree = self._tree()
        self._next = max(self._next, decision.step + 1)
        self._hooks.step_started(decision)
        self._in_flight[asyncio.create_task(self._step(decision, tree))] = decision

    async def _step(self, decision: Decision, tree: TreeView) -> Recorded:
        """Ask the policy, carry out the action, and hand back what is to be recorded."""
        started = now()
        answer = await self._caller.answer(decision, tree)
        transition, grade = await self._environments.transition(
            answer.decision, answer.action, answer.problem
        )
        step = Step(
            run_id=self.manifest.run_id,
            step=decision.step,
            parent=decision.parent,
            decision=answer.decision,
            calls=answer.calls,
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

    def _record(self, step: Step, private: PrivateScore) -> None:
        self._writer.add_step(step, private)
        self._private[step.step] = private.score
        self._add(step)
        self._budget.count_step()
        self._save("running")
        self._hooks.step_recorded(step)

    def _add(self, step: Step) -> None:
        self._nodes.append(Node(step, self._context.feedback, self._private.get(step.step)))
        self._ended = self._ended or (
            step.action is not None and step.action.type == "final_answer"
        )

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
        update: Mapping[str, object] = {
            "status": status,
            "error": error,
            "spent": self._budget.spent(),
            "best": describe(self._best()),
            "packages": self._packages.versions if self._packages else {},
        }
        self.manifest = self.manifest.model_copy(update=dict(update))
        self._writer.write_manifest(self.manifest)

    def _best(self) -> Node | None:
        return best_node(self.manifest.task.metric, self._nodes)

    async def _close(self, status: RunStatus, error: str | None = None) -> None:
        """Stop what is in flight, close the sandboxes, write the closing manifest."""
        for task in self._in_flight:
            task.cancel()
        await asyncio.gather(*self._in_flight, return_exceptions=True)
        await self._environments.close()
        await self._caller.close()
        self._save(status, error)
        keep_best(self._writer.path / "best", self._states, self.manifest.task, self._best())
        self._hooks.run_ended(self.manifest)
        self._writer.close()
