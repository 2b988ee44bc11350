"""One policy, measured on everything."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mlxlab.api.evaluating.field import NAMES, Field, Part
from mlxlab.api.evaluating.loops import episodes
from mlxlab.api.evaluating.loops import summed_up as loops_of
from mlxlab.api.evaluating.record import ASKED, Loops, Singles, Subject, Swap
from mlxlab.api.evaluating.singles import draw
from mlxlab.api.evaluating.singles import summed_up as singles_of
from mlxlab.api.evaluating.swapping import swap_test
from mlxlab.core.policy import Policy
from mlxlab.core.training.states import Taken


@dataclass
class Count:
    """How many actions were carried out, and how many were known from before."""

    executed: int = 0
    cached: int = 0

    def add(self, taken: Sequence[Taken]) -> None:
        """Count what was run."""
        self.cached += sum(each.cached for each in taken)
        self.executed += sum(not each.cached and each.seconds > 0 for each in taken)


async def measured(field: Field, name: str, policy: Policy, *, swap: bool = False) -> Subject:
    """Single actions and episodes of a policy on every part of a field."""
    began, count = time.monotonic(), Count()
    todo = 2 * len(field.parts) + swap
    done = _counter(field, name, todo)
    singles: dict[str, Singles] = {}
    loops: dict[str, Loops] = {}
    for part in field.parts:
        done("single actions", part.name)
        singles[part.name] = await _singles(field, part, policy, count)
        done("episodes", part.name)
        loops[part.name] = await _loops(field, part, policy, count)
    found = await _swap(field, policy, done) if swap else None
    return Subject(
        name=name,
        spec="",
        kind="policy",
        singles=singles,
        loops=loops,
        swap=found,
        seconds=time.monotonic() - began,
        executed=count.executed,
        cached=count.cached,
    )


async def _singles(field: Field, part: Part, policy: Policy, count: Count) -> Singles:
    options, scaffold = field.options, field.scaffold.instance
    drawn = await draw(
        policy, scaffold, part.states, field.arena, samples=options.samples, seed=field.seed
    )
    count.add([each.taken for each in drawn])
    return singles_of(drawn, NAMES, options.samples)


async def _loops(field: Field, part: Part, policy: Policy, count: Count, free: int = 0) -> Loops:
    steps = field.options.steps
    played = await episodes(
        policy,
        field.scaffold.instance,
        field.scaffold.ref.spec,
        part.tasks,
        field.arena,
        steps=steps + free,
        seeds=field.seeds,
        registry=field.registry,
    )
    count.add([turn.taken for episode in played for turn in episode.turns])
    return loops_of(played, field.scale, field.arena, steps, free)


async def _swap(field: Field, policy: Policy, done: Callable[[str, str], None]) -> Swap | None:
    """The swap test on the last part: held-out states where there are any."""
    part = field.parts[-1]
    done("swapped descriptions", part.name)
    return await swap_test(
        policy,
        field.scaffold.instance,
        part.states,
        field.arena,
        reward=ASKED,
        samples=max(1, field.options.samples // 2),
        seed=field.seed,
    )


def _counter(field: Field, name: str, total: int) -> Callable[[str, str], None]:
    made = iter(range(total))

    def done(what: str, part: str) -> None:
        field.tell(f"{name}: {what}, {part}", next(made, total), total)

    return done


async def looped(field: Field, name: str, policy: Policy, free: int = 0) -> Subject:
    """Episodes alone, of lines whose single actions the grids tell; the first steps may be free."""
    began, count = time.monotonic(), Count()
    loops = {}
    for number, part in enumerate(field.parts):
        field.tell(f"{name}: episodes, {part.name}", number, len(field.parts))
        loops[part.name] = await _loops(field, part, policy, count, free)
    return Subject(
        name=name,
        spec="",
        kind="reference",
        loops=loops,
        seconds=time.monotonic() - began,
        executed=count.executed,
        cached=count.cached,
    )
