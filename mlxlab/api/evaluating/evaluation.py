"""An evaluation: policies and reference lines on the same states and tasks, one after another."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mlxlab.api.evaluating.field import Field, Part
from mlxlab.api.evaluating.grids import Kinds
from mlxlab.api.evaluating.options import Measuring
from mlxlab.api.evaluating.record import ASKED, REWARDS, Evaluation
from mlxlab.api.evaluating.references import References, known
from mlxlab.api.evaluating.sampling import sample
from mlxlab.api.evaluating.subjects import subjects, write
from mlxlab.core.errors import UsageError
from mlxlab.core.policy import Policy
from mlxlab.core.records import CLEAN
from mlxlab.core.registry import Component, Registry
from mlxlab.core.scaffold import Listing
from mlxlab.core.training.arena import Arena
from mlxlab.core.training.cache import TransitionCache
from mlxlab.core.training.states import State

FILE = "evaluation.json"
Tell = Callable[[str, int, int], None]


def evaluate(
    policies: Mapping[str, str],
    *,
    parts: Sequence[Part],
    training: Sequence[State],
    scaffold: str,
    out: Path,
    reward: str = "ml-agent",
    options: Measuring | None = None,
    sandbox: str = "local",
    editor: str | None = None,
    workers: int | None = None,
    exec_timeout_s: float | None = None,
    cache: Path | None = None,
    seed: int = 0,
    tell: Tell = lambda what, done, total: None,
    registry: Registry | None = None,
) -> Evaluation:
    """Measure policies and the reference lines; what was measured before is taken from `out`.

    A policy that fails is left out, and a note says why: it costs its own figures alone.

    Args:
        policies: specs by the name that they have in the report.
        parts: the sets of states and tasks; of their states a sample is drawn by seed.
        training: recorded states of the training tasks, which constants are chosen on.
        scaffold: the spec that episodes are played with; the states' own should be the same.
        out: gets evaluation.json, and subjects/NAME.json as soon as each is measured.
        reward: the spec of the reward that single actions are judged by.
        options: how much is measured.
        sandbox: where actions are carried out.
        editor: the policy that carries out delegated edits; None: such edits fail.
        workers: executions at one time; None: one for each processor.
        exec_timeout_s: seconds of one execution; None: as each decision says.
        cache: the folder of what was carried out before; shared with training.
        seed: of the sample, of each request and of the episodes.
        tell: hears what is measured, how much of it is done, and of how much.
        registry: where components are found.

    Raises:
        UsageError: a spec is wrong, or there is nothing to measure on.
        TaskError, SandboxError: there is nothing that any policy could be measured on.
    """
    given = Given(
        scaffold, reward, options or Measuring(), sandbox, editor, workers, exec_timeout_s, cache,
        seed,
    )  # fmt: skip
    found = registry or Registry.installed()
    made = {name: found.create("policy", spec) for name, spec in policies.items()}
    shown = {name: found.create("policy", spec) for name, spec in given.options.shown.items()}
    field = given.field(parts, training, found, tell)
    try:
        return asyncio.run(_evaluate(field, made, shown, out))
    finally:
        field.arena.close()


@dataclass(frozen=True)
class Given:
    """What an evaluation was asked for, beside its policies and states."""

    scaffold: str
    reward: str
    options: Measuring
    sandbox: str
    editor: str | None
    workers: int | None
    exec_timeout_s: float | None
    cache: Path | None
    seed: int

    def field(
        self, parts: Sequence[Part], training: Sequence[State], registry: Registry, tell: Tell
    ) -> Field:
        """The means of measuring, with an arena that has to be closed."""
        if not any(part.states or part.tasks for part in parts):
            raise UsageError("There are neither states nor tasks to evaluate on.")
        number, seed = self.options.states, self.seed
        held = tuple(replace(part, states=sample(part.states, number, seed)) for part in parts)
        return Field(
            parts=held,
            training=_one_each(training, seed),
            scaffold=registry.create("scaffold", self.scaffold),
            arena=self._arena(held, registry),
            registry=registry,
            options=self.options,
            sandbox=self.sandbox,
            reward=self.reward,
            seed=seed,
            tell=tell,
        )

    def _arena(self, parts: Sequence[Part], registry: Registry) -> Arena:
        rewards = {ASKED: self.reward, **REWARDS}
        return Arena(
            {name: registry.create("reward", spec).instance for name, spec in rewards.items()},
            sandbox=self.sandbox,
            workers=self.workers,
            cache=TransitionCache(self.cache),
            editor=registry.create("policy", self.editor).instance if self.editor else None,
            editor_name=self.editor or "",
            exec_timeout_s=self.exec_timeout_s,
            keep_states=any(s.decision.start != CLEAN for part in parts for s in part.states),
            registry=registry,
        )


def _one_each(states: Sequence[State], seed: int) -> tuple[State, ...]:
    """One recorded state of each task."""
    return sample(states, len({state.task for state in states}), seed)


async def _evaluate(
    field: Field,
    policies: Mapping[str, Component[Policy]],
    shown: Mapping[str, Component[Policy]],
    out: Path,
) -> Evaluation:
    began = time.monotonic()
    wants_grid = field.options.grid and isinstance(field.scaffold.instance, Listing)
    nothing = References({}, {}, {}, Kinds(field.scaffold.instance))
    found = await known(field) if wants_grid else nothing
    field = replace(field, scale=found.scale)
    asked = [subject async for subject in subjects(field, found, policies, shown, out)]
    told = tuple(f"{subject.name}: {subject.note}" for subject in asked if subject.note)
    evaluation = Evaluation(
        scaffold=field.scaffold.ref.spec,
        reward=field.reward,
        scale=f"0: the starting solution; 1: {field.scale.words}",
        subjects=tuple(subject for subject in asked if subject.measured),
        states={part.name: len(part.states) for part in field.parts},
        tasks={part.name: part.tasks for part in field.parts},
        notes=told if wants_grid else (_why_no_grid(field), *told),
        seconds=time.monotonic() - began,
    )
    write(out / FILE, evaluation.model_dump_json(by_alias=True, indent=1))
    return evaluation


def _why_no_grid(field: Field) -> str:
    name = field.scaffold.ref.name
    if field.options.grid:
        return f"Scaffold '{name}' lists no actions: no ceiling, constant or chance is known."
    return "No grid was wanted: no ceiling, constant or chance is known."
