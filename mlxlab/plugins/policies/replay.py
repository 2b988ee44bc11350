"""Answers a run's calls from the record of an earlier one."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, field_validator

from mlxlab.core.difference import difference
from mlxlab.core.errors import ContextTooLong, PolicyError, RecordError, UsageError
from mlxlab.core.order import Order
from mlxlab.core.policy import PolicyRequest, Price
from mlxlab.core.records import Call, Completion
from mlxlab.core.runs import RunFolder, find_run, list_runs, reference

RUNS = Path("runs")
PROMPT = "the prompt differs from the recorded one"
OTHERWISE = "the call was recorded otherwise"
HASH = re.compile(r"\b([0-9a-f]{12})[0-9a-f]{52}\b")
"""A hash, of which people need only the beginning."""


class ReplayConfig(BaseModel):
    """Options of the policy `replay`."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    argument: ClassVar[str] = "run"

    run: str = Field(
        description="A run's folder, or its id below runs/, or latest: the last one with answers."
    )
    strict: bool = Field(
        False,
        description="Refuse another prompt, seed or scaffold version instead of noting it; what a "
        "prompt says of the time left may differ.",
    )

    @field_validator("run")
    @classmethod
    def _folder(cls, run: str) -> str:
        """The run's folder: `latest` and ids below runs/ mean another run at another time."""
        try:
            found = _latest() if run == "latest" else None
            return str((found or find_run(run, RUNS)).path.resolve())
        except RecordError as error:
            raise UsageError(f"Cannot replay '{run}': {error.message}", error.hint) from error


def _of_its_run(suite: Any) -> dict[str, Any]:
    """What a request has that a replay answers: a decision of the recorded run."""
    return {"decision": suite.policy.decision}


class Replay:
    """Gives the recorded answer of the same step and call, without asking a model.

    The Runner follows `order`, so that a run of several workers repeats as well.
    What is replayed costs nothing, so its cost is 0; usage and latency are those of the record.

    Raises:
        UsageError: the run is not there, cannot be read, or holds no answers or no steps.
    """

    conformance: ClassVar[Mapping[str, Any]] = {"seeded": True, "fields": _of_its_run}

    def __init__(self, config: ReplayConfig) -> None:
        self.config = config
        self._tries = _recorded(config.run)
        self._folder = RunFolder(Path(config.run))
        steps = self._folder.steps()
        if not steps:
            raise UsageError(
                f"Cannot replay '{config.run}': it was stopped before its first step was done.",
                f"Finish it first: mlx run --resume {config.run}",
            )
        manifest = self._folder.manifest()
        self.decision = steps[0].decision
        """The recorded run's first."""
        self.order = Order(steps, manifest.workers, manifest.budget.steps)

    async def act(self, request: PolicyRequest) -> Completion:
        """The recorded answer; raises PolicyError where this run departs from the recorded one."""
        step, index = request.decision.step, request.index
        tries = self._tries.get((step, index), [])
        answered = [call for call in tries if call.completion is not None]
        if not answered or (done := answered[-1].completion) is None:
            last = max(known for known, _ in self._tries)
            raise PolicyError(
                f"{self.config.run} has no answer for step {step}, call {index}.",
                f"Its recorded answers end at step {last}.",
            )
        call = answered[-1]
        if found := [*_departures(request, call)]:
            raise self._departed(request, found)
        if self._was_too_long(request, call, tries):
            raise ContextTooLong("The recorded call was too long for its model.")
        remarks = [*_remarks(request, call), *self._prompt_remarks(request, call)]
        if remarks and self.config.strict:
            raise self._departed(request, remarks)
        source = done.reused or f"{self._folder.path.name} step {step} call {index}"
        # What an earlier replay noted of the run that it replayed is not about this one.
        notes = [note for note in done.notes if not note.startswith((PROMPT, OTHERWISE))]
        update = {"cost_usd": 0.0, "reused": source, "notes": (*notes, *remarks)}
        return done.model_copy(update=update)

    def bound(self, request: PolicyRequest) -> tuple[int, int]:
        """No tokens: nobody is asked."""
        return 0, 0

    async def price(self) -> Price:
        """Nothing: what is replayed was paid before."""
        return Price()

    async def close(self) -> None:
        """Nothing is held."""

    def _departed(self, request: PolicyRequest, differences: list[str]) -> PolicyError:
        hint = "Replay with the task, scaffold, seed and options of the recorded run."
        if any(said.endswith(", a time") for said in differences):
            hint = "Programs that print times never print the same: leave out strict."
        return PolicyError(
            f"Step {request.decision.step}, call {request.index} departs from "
            f"{self.config.run}: {'; '.join(differences)}.",
            hint,
        )

    def _was_too_long(self, request: PolicyRequest, call: Call, tries: list[Call]) -> bool:
        """Whether the recorded run, too, had to shorten these messages before it was answered."""
        asked = reference(request.messages)
        if call.prompt == asked:
            return False
        longer = {failed.prompt for failed in tries if failed.completion is None} - {call.prompt}
        if asked in longer:
            return True
        return any(difference(request.messages, self._prompt(each)) is None for each in longer)

    def _prompt_remarks(self, request: PolicyRequest, call: Call) -> Iterator[str]:
        if call.prompt == reference(request.messages):
            return
        found = difference(request.messages, self._prompt(call.prompt))
        if found is not None:
            yield f"{PROMPT}: {found}"

    def _prompt(self, reference: str) -> Any:
        try:
            return self._folder.prompt(reference)
        except RecordError as error:
            raise PolicyError(f"Cannot replay '{self.config.run}': {error.message}") from error


def _departures(request: PolicyRequest, call: Call) -> Iterator[str]:
    """What makes the recorded answer one to another question."""
    now, then = request.decision, call.decision
    compared: dict[str, tuple[object, object]] = {
        "task": (now.task, then.task),
        "data": (now.data_hash, then.data_hash),
        "scaffold": (now.scaffold.name, then.scaffold.name),
        **_options(now.scaffold.config, then.scaffold.config),
        "feedback": (now.feedback, then.feedback),
        "operator": (now.operator, then.operator),
        "parent": (now.parent, then.parent),
        "role": (request.role, call.role),
    }
    yield from _unequal(compared)


def _remarks(request: PolicyRequest, call: Call) -> Iterator[str]:
    """What may differ where strictness is not asked for."""
    now, then = request.decision, call.decision
    sampling = request.sampling.model_dump(exclude_none=True)
    names = {**sampling, **call.sampling}
    compared: dict[str, tuple[object, object]] = {
        "version of the scaffold": (now.scaffold.version, then.scaffold.version),
        "seed": (now.seed, then.seed),
        **{name: (sampling.get(name), call.sampling.get(name)) for name in names},
    }
    if call.form is not None:  # what earlier versions recorded names none
        compared["form"] = (request.form.name if request.form else None, call.form)
    for said in _unequal(compared):
        yield f"{OTHERWISE}: {said}"


def _options(now: dict[str, Any], then: dict[str, Any]) -> dict[str, tuple[object, object]]:
    """The scaffold's options that both versions of it know."""
    return {f"scaffold option {name}": (now[name], then[name]) for name in now if name in then}


def _latest() -> RunFolder | None:
    """The last run below runs/ that can be replayed; one that was ended at once cannot."""
    for folder in reversed(list_runs(RUNS)):
        with suppress(RecordError):
            spent = folder.manifest().spent
            if spent.steps and spent.answered_calls:
                return folder
    return None


def _unequal(compared: dict[str, tuple[object, object]]) -> Iterator[str]:
    for name, (new, old) in compared.items():
        if new != old:
            yield HASH.sub(r"\1", f"{name} is {new}, was {old}")


def _recorded(run: str) -> dict[tuple[int, int], list[Call]]:
    """Every try by step and index of its call."""
    try:
        folder = RunFolder(Path(run))
        folder.manifest()
        calls = folder.calls()
    except RecordError as error:
        raise UsageError(f"Cannot replay '{run}': {error.message}", error.hint) from error
    found: dict[tuple[int, int], list[Call]] = defaultdict(list)
    for call in calls:
        found[call.step, call.index].append(call)
    answered = {place: tries for place, tries in found.items() if any(c.completion for c in tries)}
    if not answered:
        raise UsageError(f"Cannot replay '{run}': {folder.path} holds no answered call.")
    return answered
