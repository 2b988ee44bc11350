"""Episodes of several steps, and the best score after each of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from mlxlab.api.evaluating.asking import answers
from mlxlab.api.evaluating.record import Loops, Mean, means
from mlxlab.api.evaluating.scale import Scale
from mlxlab.core.policy import Policy, PolicyRequest
from mlxlab.core.records import Completion
from mlxlab.core.registry import Registry
from mlxlab.core.scaffold import Scaffold
from mlxlab.core.training.arena import Arena
from mlxlab.core.training.episodes import Episode, Start, play


async def episodes(
    policy: Policy,
    scaffold: Scaffold,
    spec: str,
    tasks: Iterable[str],
    arena: Arena,
    *,
    steps: int,
    seeds: Sequence[int],
    registry: Registry | None = None,
) -> list[Episode]:
    """Play every task with every seed, all of them side by side."""

    async def answer(requests: Sequence[PolicyRequest]) -> Sequence[Completion]:
        return await answers(policy, scaffold, requests)

    starts = [Start(task=task, scaffold=spec, seed=seed) for task in tasks for seed in seeds]
    return await play(starts, answer, arena, steps=steps, registry=registry)


def summed_up(
    played: Sequence[Episode], scale: Scale, arena: Arena, steps: int, free: int = 0
) -> Loops:
    """Means over tasks of means over seeds; the first `free` steps are not counted."""
    kept = [episode for episode in played if not episode.problem and episode.turns]
    curves: list[dict[str, list[float]]] = [defaultdict(list) for _ in range(steps)]
    counts: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for episode in kept:
        task = episode.start.task
        for step, curve in enumerate(curves, free + 1):
            if (value := _after(episode, step, scale, arena)) is not None:
                curve[task].append(value)
        for name, number in _counts(episode, free).items():
            counts[name][task].append(number)
    found = [Mean.of(curve.values()) for curve in curves]
    figures = {name: Mean.of(by.values()) for name, by in counts.items()}
    last = {task: tuple(values) for task, values in sorted(curves[-1].items())}
    return Loops(
        episodes=len(played),
        steps=steps,
        failed=len(played) - len(kept),
        curve=tuple(mean for mean in found if mean is not None),
        figures={name: mean for name, mean in figures.items() if mean is not None},
        by_task=means(last),
        values=last,
    )


def _after(episode: Episode, steps: int, scale: Scale, arena: Arena) -> float | None:
    """The private score of what would be handed in after so many steps, on the scale."""
    best, task = episode.best(steps), episode.start.task
    info = episode.turns[0].state.info
    if best is None:
        return scale.value(task, info, None, None)
    return scale.value(task, info, arena.private_score(best.taken), best.taken.score)


def _counts(episode: Episode, free: int) -> dict[str, float]:
    """How many programs an episode ran, and how many actions were taken before in it."""
    turns = episode.turns[free:]
    actions = [turn.taken.action for turn in turns if turn.taken.action is not None]
    said = [action.model_dump_json(exclude={"plan"}) for action in actions]
    ran = [action for action in actions if action.type in {"run_code", "run_script"}]
    return {"executions": float(len(ran)), "repeats": float(len(said) - len(set(said)))}
