"""The swap test: what becomes of a policy that is told of another task than it works on.

A policy that does not read its task loses nothing by it: it has learned a constant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from mlxlab.api.evaluating.record import Mean, Swap
from mlxlab.api.evaluating.singles import Drawn, by_state, draw
from mlxlab.core.errors import MlxError
from mlxlab.core.policy import Policy
from mlxlab.core.records import Step
from mlxlab.core.runs import RunFolder
from mlxlab.core.scaffold import Scaffold
from mlxlab.core.task import TaskInfo
from mlxlab.core.training.arena import Arena
from mlxlab.core.training.states import State
from mlxlab.core.tree import RunContext, TreeView


async def swap_test(
    policy: Policy,
    scaffold: Scaffold,
    states: Sequence[State],
    arena: Arena,
    *,
    reward: str,
    samples: int,
    seed: int,
) -> Swap | None:
    """Mean reward with a task's own description and with another one's, and the difference.

    The scaffold writes both prompts anew from the recorded steps, so that the description and the
    features are all that differs; the actions are carried out on the state's own task. None where
    there are no two tasks, or no recorded run to write prompts from.
    """
    others = partners({state.task: state.info for state in states})
    own = [told for state in states if (told := retold(state, state.info, scaffold, arena))]
    swapped = [
        told
        for state in own
        if (told := retold(state, others.get(state.task), scaffold, arena)) is not None
    ]
    if not swapped:
        return None
    values = []
    for asked in (own, swapped):
        drawn = await draw(policy, scaffold, asked, arena, samples=samples, seed=seed)
        values.append(by_state(drawn, lambda each: _value(each, reward)))
    before, after = values
    drops = {
        task: [a - b for a, b in zip(before[task], after[task], strict=True)]
        for task in before
        if len(before[task]) == len(after.get(task, ()))
    }
    found = [Mean.of(part.values()) for part in (before, after, drops)]
    if found[0] is None or found[1] is None or found[2] is None:
        return None
    return Swap(states=len(swapped), own=found[0], swapped=found[1], drop=found[2])


def partners(infos: Mapping[str, TaskInfo]) -> dict[str, TaskInfo]:
    """For each task another one to be told of: the next that is scored alike, else the next."""
    names = sorted(infos)
    found = {}
    for place, name in enumerate(names):
        others = names[place + 1 :] + names[:place]
        alike = [other for other in others if infos[other].metric.name == infos[name].metric.name]
        if chosen := next(iter([*alike, *others]), None):
            found[name] = infos[chosen]
    return found


def retold(state: State, info: TaskInfo | None, scaffold: Scaffold, arena: Arena) -> State | None:
    """A state whose prompt tells of a task, from the steps that its run had recorded then."""
    if info is None or state.folder is None:
        return None
    decision = state.decision
    context = RunContext(
        scaffold=decision.scaffold,
        sandbox=decision.sandbox,
        feedback=decision.feedback,
        seed=decision.seed,
        limits=decision.limits,
    )
    try:
        steps = _steps(state.folder)[: decision.seen]
        tree = TreeView(info, context, arena.packages(state), steps, next_step=decision.step)
        return replace(state, said=tuple(scaffold.prompt(decision, tree)))
    except MlxError:
        return None


@lru_cache(maxsize=64)
def _steps(folder: Path) -> list[Step]:
    return RunFolder(folder).steps()


def _value(drawn: Drawn, reward: str) -> float | None:
    found = drawn.taken.rewards.get(reward)
    return None if found is None else found.value
