"""An evaluation: policies and reference lines on the same states and tasks, one after another."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from mlxlab.api.evaluating.field import Field, Part
from mlxlab.api.evaluating.grids import Kinds
from mlxlab.api.evaluating.lines import FREE, PROBES, Constant, ProbesThenRandom, probe_lines
from mlxlab.api.evaluating.measuring import looped, measured
from mlxlab.api.evaluating.options import Measuring
from mlxlab.api.evaluating.record import REWARDS, TRAINED, Evaluation, Subject
from mlxlab.api.evaluating.references import References, known, loop_lines, single_lines
from mlxlab.api.evaluating.sampling import sample
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
    workers: int | None = None,
    exec_timeout_s: float | None = None,
    cache: Path | None = None,
    seed: int = 0,
    tell: Tell = lambda what, done, total: None,
    registry: Registry | None = None,
) -> Evaluation:
    """Measure policies and the reference lines; what was measured before is taken from `out`.

    Args:
        policies: specs by the name that they have in the report.
        parts: the sets of states and tasks; of their states a sample is drawn by seed.
        training: recorded states of the training tasks, which constants are chosen on.
        scaffold: the spec that episodes are played with; the states' own should be the same.
        out: gets evaluation.json, and subjects/NAME.json as soon as each is measured.
        reward: the spec of the reward that was trained on.
        options: how much is measured.
        sandbox: where actions are carried out.
        workers: executions at one time; None: one for each processor.
        exec_timeout_s: seconds of one execution; None: as each decision says.
        cache: the folder of what was carried out before; shared with training.
        seed: of the sample, of each request and of the episodes.
        tell: hears what is measured, how much of it is done, and of how much.
        registry: where components are found.

    Raises:
        UsageError: a spec is wrong, or there is nothing to measure on.
        PolicyError: a policy failed; what was measured before stays.
    """
    chosen, registry = options or Measuring(), registry or Registry.installed()
    if not any(part.states or part.tasks for part in parts):
        raise UsageError("There are neither states nor tasks to evaluate on.")
    made = {name: registry.create("policy", spec) for name, spec in policies.items()}
    held = [replace(part, states=sample(part.states, chosen.states, seed)) for part in parts]
    kept = any(s.decision.start != CLEAN for part in held for s in part.states)
    arena = Arena(
        {name: registry.create("reward", spec).instance for name, spec in _rewards(reward).items()},
        sandbox=sandbox,
        workers=workers,
        cache=TransitionCache(cache),
        exec_timeout_s=exec_timeout_s,
        keep_states=kept,
        registry=registry,
    )
    field = Field(
        parts=tuple(held),
        training=_one_each(training, chosen.constant_tasks, seed),
        scaffold=registry.create("scaffold", scaffold),
        arena=arena,
        registry=registry,
        options=chosen,
        sandbox=sandbox,
        reward=reward,
        seed=seed,
        tell=tell,
    )
    try:
        return asyncio.run(_evaluate(field, made, out))
    finally:
        arena.close()


def _rewards(reward: str) -> dict[str, str]:
    return {TRAINED: reward, **REWARDS}


def _one_each(states: Sequence[State], tasks: int | None, seed: int) -> tuple[State, ...]:
    """One recorded state of each training task."""
    names = len({state.task for state in states})
    return sample(states, names if tasks is None else min(tasks, names), seed)


async def _evaluate(
    field: Field, policies: Mapping[str, Component[Policy]], out: Path
) -> Evaluation:
    began = time.monotonic()
    wants_grid = field.options.grid and isinstance(field.scaffold.instance, Listing)
    nothing = References({}, {}, {}, Kinds(field.scaffold.instance))
    found = await known(field) if wants_grid else nothing
    field = replace(field, scale=found.scale)
    subjects = [subject async for subject in _subjects(field, found, policies, out)]
    evaluation = Evaluation(
        scaffold=field.scaffold.ref.spec,
        reward=field.reward,
        scale=f"0: the starting solution; 1: {field.scale.words}",
        subjects=tuple(subjects),
        states={part.name: len(part.states) for part in field.parts},
        tasks={part.name: part.tasks for part in field.parts},
        notes=() if wants_grid else (_why_no_grid(field),),
        seconds=time.monotonic() - began,
    )
    _write(out / FILE, evaluation.model_dump_json(by_alias=True, indent=1))
    return evaluation


def _why_no_grid(field: Field) -> str:
    name = field.scaffold.ref.name
    if field.options.grid:
        return f"Scaffold '{name}' lists no actions: no ceiling, constant or chance is known."
    return "No grid was wanted: no ceiling, constant or chance is known."


async def _subjects(
    field: Field, found: References, policies: Mapping[str, Component[Policy]], out: Path
) -> AsyncIterator[Subject]:
    for name, policy in policies.items():
        yield await _subject(field, name, policy, out, "policy")
    for name, spec in (("expert", field.options.expert), ("random search", field.options.random)):
        if spec is not None:
            made = field.registry.create("policy", spec)
            subject = await _subject(field, name, made, out, "reference")
            yield subject
    if found.grids:
        async for line in _lines(field, found):
            yield line


async def _subject(
    field: Field, name: str, policy: Component[Policy], out: Path, kind: str
) -> Subject:
    """A policy's figures, measured or as they were before."""
    place = out / "subjects" / f"{''.join(c if c.isalnum() else '_' for c in name)}.json"
    key = field.key(policy.ref.spec, dict(policy.ref.resolved))
    if (before := _read(place)) is not None and before.key == key:
        return before
    try:
        subject = await measured(
            field, name, policy.instance, swap=field.options.swap and kind == "policy"
        )
    finally:
        await policy.instance.close()
    update = {"kind": kind, "spec": policy.ref.spec, "key": key}
    subject = subject.model_copy(update=update)
    _write(place, subject.model_dump_json(indent=1))
    return subject


async def _lines(field: Field, found: References) -> AsyncIterator[Subject]:
    """The lines that come from the grids."""
    singles = {part.name: await single_lines(field, part, found) for part in field.parts}
    loops = {
        part.name: loop_lines(part, found, field.scale, field.options.steps) for part in field.parts
    }
    yield _line("random valid", "every listed action, on average", "random", singles)
    if found.by_score:
        constant = await looped(field, "best constant", Constant(found.by_score, found.kinds))
        chosen = ", ".join(text for kind, text in sorted(found.by_score.items()) if kind)
        line = _line("best constant", chosen, "constant", singles)
        yield line.model_copy(update={"loops": constant.loops, "executed": constant.executed})
    probing = await looped(field, PROBES, ProbesThenRandom(field.scaffold.instance), FREE)
    for line in probe_lines(probing, field.options.steps):
        yield line
    for name, key in (("ceiling", "ceiling"), ("best by public score", "best by public")):
        line = _line(name, "the exhaustive grid", key, singles)
        kept = {part: lines[key] for part, lines in loops.items() if key in lines}
        yield line.model_copy(update={"loops": kept})


def _line(name: str, spec: str, key: str, singles: Mapping[str, Mapping[str, object]]) -> Subject:
    kept = {part: lines[key] for part, lines in singles.items() if key in lines}
    return Subject.model_validate({"name": name, "spec": spec, "kind": "reference",
                                   "singles": kept})  # fmt: skip


def _read(place: Path) -> Subject | None:
    try:
        return Subject.model_validate_json(place.read_bytes())
    except (OSError, ValueError):
        return None


def _write(place: Path, text: str) -> None:
    """Replace a file in one move."""
    place.parent.mkdir(parents=True, exist_ok=True)
    new = place.with_name(place.name + ".new")
    new.write_text(text + "\n")
    new.replace(place)
