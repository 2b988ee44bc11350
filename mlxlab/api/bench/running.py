"""The bench at work: cells to workers, attempts into the record, one budget over all."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import inf
from typing import Literal

from mlxlab.api.bench.cells import Cell
from mlxlab.api.bench.folder import BenchWriter
from mlxlab.api.bench.outcomes import ended_by
from mlxlab.api.bench.process import WorkerDied, WorkerProcess
from mlxlab.api.bench.record import FINAL, BenchManifest, Event, Outcome
from mlxlab.api.bench.state import Current, State
from mlxlab.api.bench.treasury import Treasury
from mlxlab.api.bench.wire import Message
from mlxlab.core.clock import now
from mlxlab.core.cores import processors, shares
from mlxlab.core.errors import RecordError
from mlxlab.core.manifest import RunManifest

ATTEMPTS = 3
"""How often one session tries a cell that an outage ended."""
ORDERLY_S = 60.0
"""How long runs may take to put their things in order when the bench is stopped."""

DYING_S = 10.0
"""How long a killed worker's end may take to be recorded."""

TIME = "the time is up"

Watch = Callable[[State, Event | None], object]
"""Told of every change; with the line that was just recorded, if it was one."""


def _nobody(state: State, event: Event | None) -> None:
    """Nobody watches."""


@dataclass
class Job:
    """A cell that has not ended: the run to take up, and the attempts up to now."""

    cell: Cell
    run: str | None = None
    attempts: int = 0
    tries: int = 0
    """Attempts of this session."""


class Running:
    """Runs what is left of a bench; `state` says where it stands."""

    def __init__(self, writer: BenchWriter, manifest: BenchManifest, steps: dict[str, int]) -> None:
        self.folder = writer
        self.manifest = manifest
        self.state = State(manifest.cells, manifest.workers, steps)
        self.watch: Watch = _nobody
        self.broken: dict[str, str] = {}
        self._treasury = Treasury(manifest.limits)
        self._queue: deque[Job] = deque()
        self._workers: list[WorkerProcess] = []
        self._take_up()

    def _take_up(self) -> None:
        """What earlier sessions did: ended cells are kept, begun ones go on where they ended."""
        events, runs = self.folder.events(), self.folder.by_cell()
        last = {event.cell: event for event in events}
        self.state.learn(events)
        self.state.elapsed_before = self.folder.elapsed_s
        self._treasury.count(self.folder.calls())
        for cell in self.manifest.cells:
            run, before = runs.get(cell.id), last.get(cell.id)
            outcome = before.event if before is not None else None
            if run is not None and run.status == "done" and outcome not in FINAL:
                outcome = self._caught_up(Job(cell, run.run_id), run, before)
            if outcome == "failed" or (outcome == "done" and run is not None):
                self.state.outcomes[cell.id] = outcome
                continue
            attempts = before.attempt if before is not None else 0
            self._queue.append(Job(cell, run.run_id if run else None, attempts))
        self.state.spent = self._treasury.spent

    def _caught_up(self, job: Job, run: RunManifest, before: Event | None) -> Outcome:
        """How a run ended; recorded, where the bench was killed before it could write that."""
        outcome = ended_by(run)
        if before is None or before.event != outcome:
            job.attempts = before.attempt if before is not None else 1
            self._add(job, outcome)
        return outcome

    async def run(self) -> State:
        """Until every cell has ended or nothing may be spent any more.

        Raises:
            asyncio.CancelledError: interrupted, after the runs have put their things in order.
        """
        cpus = shares(self.manifest.workers, processors())
        logs = self.folder.path / "logs"
        logs.mkdir(exist_ok=True)
        self._workers = [
            WorkerProcess(
                share, logs / f"worker-{number}.log", self.folder.workers_lock, self._treasury
            )
            for number, share in enumerate(cpus)
        ]
        if self._time_left() <= 0:
            self._stop(TIME)
        loops = [asyncio.create_task(self._loop(number)) for number in range(len(cpus))]
        clock = asyncio.create_task(self._time(loops))
        try:
            await asyncio.wait(loops)
        except asyncio.CancelledError:
            self._stop("interrupted")
            await asyncio.wait(loops, timeout=ORDERLY_S)
            await self._kill_hung(loops)
            raise
        finally:
            clock.cancel()
            closing = 5.0 if not self.state.stopping else ORDERLY_S
            await asyncio.gather(*(worker.close(closing) for worker in self._workers))
        for loop in loops:
            loop.result()
        if self.state.counts["cut"] and not self.state.stopping:
            self.state.stopping = self._treasury.spent_out() or "the budget is spent"
        return self.state

    async def _time(self, loops: Sequence[asyncio.Task[None]]) -> None:
        """Leave a sign of life each second, and end the bench in order when its time is up."""
        while (left := self._time_left()) > 0:
            with suppress(OSError):
                self.folder.beat(self.state.elapsed_s)
            await asyncio.sleep(min(1.0, left))
        self._stop(TIME)
        await asyncio.sleep(ORDERLY_S)
        await self._kill_hung(loops)

    async def _kill_hung(self, loops: Sequence[asyncio.Task[None]]) -> None:
        """End workers that did not hear the word to stop, such as one stuck in native code."""
        hung = [number for number, loop in enumerate(loops) if not loop.done()]
        for number in hung:
            self._workers[number].kill()
        if hung:
            await asyncio.wait([loops[number] for number in hung], timeout=DYING_S)

    def _time_left(self) -> float:
        limit = self.manifest.limits.time
        return inf if limit is None else limit - self.state.elapsed_s

    def _stop(self, why: str) -> None:
        self.state.stopping = self.state.stopping or why
        for worker in self._workers:
            worker.stop()

    async def _loop(self, number: int) -> None:
        """One worker, until nothing is left for it."""
        while self._queue and not self.state.stopping:
            if (why := self._treasury.spent_out()) is not None:
                self.state.stopping = why
                break
            await self._attempt(number, self._queue.popleft())

    async def _attempt(self, number: int, job: Job) -> None:
        worker, began = self._workers[number], time.monotonic()
        recorded = self._recorded_calls(job)
        job.attempts, job.tries = job.attempts + 1, job.tries + 1
        current = Current(job.cell, job.attempts, self.state.steps.get(job.cell.id, 0))
        self.state.current[number] = current
        self._add(job, "started")
        try:
            ended = await worker.attempt(self._order(job), lambda m: self._heard(job, current, m))
        except WorkerDied as error:
            ended = {"outcome": "outage", "error": str(error), "again": True}
            self._reconcile(job, recorded + worker.heard)
        if ended["outcome"] in {"outage", "failed"}:
            await worker.close()  # whatever it was, the next attempt begins in a process of its own
        self.broken |= ended.get("broken") or {}
        self.state.spent = self._treasury.spent
        del self.state.current[number]
        self._ended(job, ended, time.monotonic() - began)

    def _ended(self, job: Job, ended: Message, seconds: float) -> None:
        outcome: Outcome = ended["outcome"]
        if outcome == "interrupted" and self.state.stopping != "interrupted":
            outcome = "cut"
        if outcome == "outage" and ended["again"] and job.tries < ATTEMPTS:
            self._queue.append(job)
            self.state.retries += 1
        else:
            self.state.outcomes[job.cell.id] = outcome
        if outcome == "done" and job.attempts == 1:
            self.state.took(job.cell, seconds)
        self._add(job, outcome, ended["error"])

    def _order(self, job: Job) -> dict[str, object]:
        labels = {
            "bench": self.manifest.bench,
            "cell": job.cell.id,
            "arm": job.cell.arm,
            "attempt": str(job.attempts),
        }
        return {
            "cell": job.cell.model_dump_json(),
            "labels": labels,
            "out": str(self.folder.runs),
            "run": job.run,
            "limited": self.manifest.limits.spends,
            "limits_money": self.manifest.limits.max_cost is not None,
        }

    def _heard(self, job: Job, current: Current, message: Message) -> None:
        kind = message["kind"]
        if kind == "begun":
            if job.run is not None:
                current.steps = len(self.folder.run(job.run).steps())
            job.run, current.of = message["run_id"], message["steps"]
        elif kind == "step":
            current.steps += 1
            self.state.spent = self._treasury.spent
        elif kind in {"paused", "resumed"}:
            current.paused = message.get("reason", "")
        self._tell(None)

    def _add(self, job: Job, event: Literal["started"] | Outcome, error: str | None = None) -> None:
        line = Event(
            cell=job.cell.id,
            attempt=job.attempts,
            event=event,
            run_id=job.run,
            error=error,
            at=now(),
            elapsed_s=round(self.state.elapsed_s, 1),
        )
        self.folder.add(line)
        self._tell(line)

    def _tell(self, line: Event | None) -> None:
        """Tell who watches; the runs go on without one who has closed the pipe or the terminal."""
        try:
            self.watch(self.state, line)
        except OSError:
            self.watch = _nobody

    def _recorded_calls(self, job: Job) -> int:
        return len(self.folder.run(job.run).calls()) if job.run is not None else 0

    def _reconcile(self, job: Job, counted: int) -> None:
        """After a worker's death: which run it had made, and the calls it could not tell of."""
        if job.run is None:
            made = self.folder.by_cell().get(job.cell.id)
            job.run = made.run_id if made is not None else None
        if job.run is not None:
            try:
                self._treasury.count(self.folder.run(job.run).calls()[counted:])
            except RecordError:
                return
