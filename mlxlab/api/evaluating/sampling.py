"""A fixed sample of recorded states, the same for every policy."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from random import Random

from mlxlab.core.training.states import State


def sample(states: Iterable[State], number: int, seed: int) -> tuple[State, ...]:
    """States in turns from every task, drawn by seed; all of them if there are no more."""
    by_task: dict[str, list[State]] = defaultdict(list)
    for state in sorted(states, key=lambda state: state.id):
        by_task[state.task].append(state)
    for task, group in by_task.items():
        Random(f"{seed}:{task}").shuffle(group)
    order = sorted(by_task)
    Random(f"{seed}:tasks").shuffle(order)
    dealt: list[State] = []
    depth = max((len(group) for group in by_task.values()), default=0)
    for turn in range(depth):
        dealt += [by_task[task][turn] for task in order if turn < len(by_task[task])]
    return tuple(dealt[:number])
