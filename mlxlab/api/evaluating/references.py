"""The reference lines that every figure stands beside, from exhaustive grids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mlxlab.api.evaluating.field import NAMES, Field, Part
from mlxlab.api.evaluating.grids import Grid, Kinds, constants, every_action, grid, listed
from mlxlab.api.evaluating.record import ASKED, Loops, Mean, Singles
from mlxlab.api.evaluating.roots import root
from mlxlab.api.evaluating.scale import Scale
from mlxlab.api.evaluating.singles import Drawn, summed_up
from mlxlab.core.training.states import State
from mlxlab.scores.gain import gap_closed

Table = Sequence[tuple[str, Drawn]]
"""Every listed action, taken from one state."""


@dataclass(frozen=True)
class References:
    """What is known of the tasks before any policy is asked.

    Args:
        grids: by task.
        by_reward, by_score: the best constant of each type of task, chosen on training tasks by
            the mean reward of single actions, and by the mean normalised public score.
        kinds: the types of tasks.
    """

    grids: Mapping[str, Grid]
    by_reward: Mapping[str, str]
    by_score: Mapping[str, str]
    kinds: Kinds

    @property
    def scale(self) -> Scale:
        """Normalises by the grids' ceilings."""
        tops = {task: grid.ceiling for task, grid in self.grids.items()}
        return Scale({task: top for task, top in tops.items() if top is not None})


async def known(field: Field) -> References:
    """Carry out the grids of all tasks; nothing where the scaffold lists no actions."""
    training = {state.task: state for state in reversed(field.training)}
    tasks = list(dict.fromkeys([*training, *(t for part in field.parts for t in part.tasks)]))
    found: dict[str, Grid] = {}
    for number, task in enumerate(tasks):
        field.tell("every action of each task", number, len(tasks))
        start = root(task, field.scaffold, field.sandbox, field.arena)
        if listed(start, field.scaffold.instance):
            found[task] = await grid(start, field.scaffold.instance, field.arena)
    states = [state for task, state in training.items() if task in found]
    types = Kinds(field.scaffold.instance)
    kinds = {state.task: types.of(state.decision) for state in states}
    rewards = {state.task: await _rewards(field, state) for state in states}
    scores = {state.task: _scores(found[state.task]) for state in states}
    return References(found, constants(rewards, kinds), constants(scores, kinds), types)


async def _rewards(field: Field, state: State) -> dict[str, float]:
    """The given reward of every action at a state."""
    table = await _table(field, state)
    found = {text: each.taken.rewards.get(ASKED) for text, each in table}
    return {text: v.value for text, v in found.items() if v is not None and v.value is not None}


def _scores(found: Grid) -> dict[str, float]:
    """The normalised public score of every action; below the starting solution is 0."""
    top, _ = found.best_by_public
    values = {
        text: gap_closed(score, found.info.m_init, top)
        for text, score in zip(found.texts, found.public, strict=True)
    }
    return {text: max(0.0, value) for text, value in values.items() if value is not None}


async def _table(field: Field, state: State) -> Table:
    return await every_action(state, listed(state, field.scaffold.instance), field.arena)


async def single_lines(field: Field, part: Part, known: References) -> dict[str, Singles]:
    """What chance gives on average, what the constants give, and the most there is."""
    tables = []
    for number, state in enumerate(part.states):
        field.tell(f"every action at each state, {part.name}", number, len(part.states))
        tables.append((state, await _table(field, state)))
    chance = [each for _, table in tables for _, each in table]
    constant = [
        each
        for state, table in tables
        for text, each in table
        if text == known.by_reward.get(known.kinds.of(state.decision), known.by_reward.get(""))
    ]
    lines = {
        "random": summed_up(chance, NAMES, 0),
        "constant": summed_up(constant, NAMES, 0),
        "ceiling": _ceiling(tables),
    }
    return {name: _without_unique(line) for name, line in lines.items()}


def _ceiling(tables: Sequence[tuple[State, Table]]) -> Singles:
    """For each figure the best action of each state by that very figure."""
    figures: dict[str, Mean] = {}
    by_task: dict[str, dict[str, float]] = {}
    for name in (*NAMES, "improvement", "valid"):
        best = [
            max((each for _, each in table), key=lambda each: _worth(each, name))
            for _, table in tables
            if table
        ]
        found = summed_up(best, NAMES, 0)
        figures |= {key: mean for key, mean in found.figures.items() if key == name}
        by_task[name] = found.by_task.get(name, {})
    return Singles(states=len(tables), samples=0, figures=figures, by_task=by_task)


def _worth(drawn: Drawn, name: str) -> float:
    if name in ("improvement", "valid"):
        return float(drawn.improved if name == "improvement" else drawn.valid)
    found = drawn.taken.rewards.get(name)
    return -1e9 if found is None or found.value is None else found.value


def _without_unique(line: Singles) -> Singles:
    """Of a list of all actions, or of one, the share of different ones says nothing."""
    kept = {name: mean for name, mean in line.figures.items() if name != "unique"}
    return line.model_copy(update={"figures": kept})


def loop_lines(part: Part, known: References, scale: Scale, steps: int) -> dict[str, Loops]:
    """The ceiling, and what the best action by public score comes to in private."""
    values: dict[str, dict[str, float]] = {"ceiling": {}, "best by public": {}}
    for task in part.tasks:
        if (found := known.grids.get(task)) is None:
            continue
        pairs = {"ceiling": (None, found.ceiling), "best by public": found.best_by_public}
        for name, (public, private) in pairs.items():
            value = scale.value(task, found.info, private, public)
            if value is not None:
                values[name][task] = value
    return {name: _flat(by, steps) for name, by in values.items() if by}


def _flat(by_task: Mapping[str, float], steps: int) -> Loops:
    mean = Mean.of([value] for value in by_task.values())
    return Loops(
        episodes=0,
        steps=steps,
        curve=(mean,) * steps if mean is not None else (),
        by_task=dict(by_task),
        values={task: (value,) for task, value in by_task.items()},
    )
