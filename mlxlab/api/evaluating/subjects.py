"""The subjects of an evaluation: policies, which are measured once, and the reference lines."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from mlxlab.api.evaluating.field import Field
from mlxlab.api.evaluating.lines import PROBES, Constant, ProbesThenRandom
from mlxlab.api.evaluating.measuring import looped, measured
from mlxlab.api.evaluating.record import Subject
from mlxlab.api.evaluating.references import References, loop_lines, single_lines
from mlxlab.core.errors import PluginError, PolicyError
from mlxlab.core.guarded import GuardedPolicy
from mlxlab.core.policy import Policy
from mlxlab.core.registry import Component

FAILING = (PolicyError, PluginError)
"""What a policy raises; all else is about tasks and sandboxes, and so about every policy."""


async def subjects(
    field: Field,
    found: References,
    policies: Mapping[str, Component[Policy]],
    shown: Mapping[str, Component[Policy]],
    out: Path,
) -> AsyncIterator[Subject]:
    """Every policy, then the lines; a policy that `out` has these very figures of is not asked.

    A policy that fails has a note and no figures. `shown` are policies too, shown as lines.
    """
    for name, policy in policies.items():
        yield await _subject(field, name, policy, out, "policy")
    for name, policy in shown.items():
        yield await _subject(field, name, policy, out, "reference")
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
    swap = field.options.swap and kind == "policy"
    update = {"kind": kind, "spec": policy.ref.spec, "key": key}
    subject = (await _asked(field, name, policy, swap)).model_copy(update=update)
    if subject.measured:
        write(place, subject.model_dump_json(indent=1))
    return subject


async def _asked(field: Field, name: str, policy: Component[Policy], swap: bool) -> Subject:
    """A policy's figures, or why there are none."""
    guarded = GuardedPolicy(policy)
    try:
        found = await measured(field, name, guarded, swap=swap)
    except FAILING as error:
        found = Subject(name=name, spec="", kind="policy", note=f"not measured. {error}")
    finally:
        unclosed = await _closed(guarded)
    return found.model_copy(update={"note": found.note or unclosed})


async def _closed(policy: Policy) -> str:
    """Close a policy; returns what went wrong, which takes nothing from its figures."""
    try:
        await policy.close()
    except FAILING as error:
        return f"measured, but not closed. {error}"
    return ""


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
    for name, free in PROBES.items():
        line = await looped(field, name, ProbesThenRandom(field.scaffold.instance), free)
        word = "not counted" if free else "counted"
        yield line.model_copy(update={"spec": f"the plain actions ({word}), then random ones"})
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


def write(place: Path, text: str) -> None:
    """Replace a file in one move."""
    place.parent.mkdir(parents=True, exist_ok=True)
    new = place.with_name(place.name + ".new")
    new.write_text(text + "\n")
    new.replace(place)
