"""From tasks to diverse ideas: ask, embed, select, and write down."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from mlxlab.api.exploring.asking import A_CALL, AXES, distinct, ideas_in, request_for
from mlxlab.api.exploring.calls import Calls
from mlxlab.api.exploring.diversity import (
    distances,
    farthest_on_average,
    farthest_points,
    mean_distance,
)
from mlxlab.api.exploring.embedding import Embed, embedder_of
from mlxlab.api.exploring.result import Explored, Idea, TaskIdeas
from mlxlab.api.loops import finish
from mlxlab.core.components import task_spec
from mlxlab.core.errors import UsageError
from mlxlab.core.planning import Ground, ground_of
from mlxlab.core.records import Completion, ComponentRef
from mlxlab.core.registry import Registry

MOST_CALLS = 40
"""For one task and axis; a policy that always finds something new must end somewhere."""

Tell = Callable[[str], None]


def explore(
    tasks: Sequence[str],
    *,
    policy: str,
    scaffold: str,
    version: int = 1,
    candidates: int = 100,
    keep: int = 10,
    per_axis: int = 5,
    seed: int = 0,
    out: Path,
    embedder: str | None = None,
    tell: Tell,
) -> Explored:
    """Ask a policy for ideas on each task and keep the most diverse of them.

    Version 1 (arXiv 2505.23723 v1, section 4.1): at least 100 candidates a task, of which the 10
    with the largest mean distance to the others are kept. Version 2 (its v2, appendix B.1): as many
    candidates over three axes, Data, Model and Learning, and farthest-point sampling within each.
    v2 does not state its numbers M of candidates and K of kept ideas an axis: a third of the
    candidates and 5 are taken here, so that both versions pay about the same number of calls and
    15 ideas give 5 x 5 x 5 combinations of three axes.

    The same call again asks nothing that the folder holds an answer to. A policy that has no more
    ideas than the wanted number ends with those it has, and `tell` hears of it.

    Args:
        tasks: specs.
        policy: who is asked.
        scaffold: whose prompts the ideas are for; policies without a model speak its language.
        version: of the selection.
        candidates: ideas wanted of each task, over all axes.
        keep: kept of each task, in version 1.
        per_axis: kept of each axis, in version 2.
        seed: of the requests.
        out: the folder for ideas.jsonl (every call) and ideas.json (the result).
        embedder: `tfidf`, or the folder of a sentence-transformers model; None: `tfidf`.
        tell: hears a line for each task.

    Raises:
        UsageError: a component cannot be used, or the folder holds another policy's ideas.
        PolicyError: the policy failed; what was paid stays in the folder.
    """
    if version not in (1, 2):
        raise UsageError(f"There is no version {version} of the exploration.", "Use 1 or 2.")
    if not tasks or candidates < 1 or keep < 1 or per_axis < 1:
        raise UsageError("There is nothing to explore.", "Name a task, and 1 idea or more of each.")
    by = embedder_of(embedder)
    registry = Registry.installed()
    made = registry.create("policy", policy)
    whose = registry.create("scaffold", scaffold).ref
    specs = list(dict.fromkeys(str(task_spec(task, registry)) for task in tasks))
    grounds = {spec: ground_of(registry.create("task", spec)) for spec in specs}
    wanted = {"": candidates} if version == 1 else dict.fromkeys(AXES, -(-candidates // len(AXES)))
    out.mkdir(parents=True, exist_ok=True)
    calls = Calls(out, made.instance, made.ref, seed)
    askings = [_Asking(calls, spec, ground, whose, seed) for spec, ground in grounds.items()]

    async def one(asking: _Asking) -> TaskIdeas:
        found = await _one(asking, wanted, by.embed, keep if version == 1 else per_axis)
        tell(_line(found, candidates))
        return found

    explored = Explored(
        policy=made.ref.spec,
        scaffold=whose.spec,
        embedder=by.name,
        embedder_hash=by.digest,
        version=version,
        seed=seed,
        tasks=finish(_all(calls, askings, one)),
    )
    explored.write(out)
    return explored


async def _all(
    calls: Calls, askings: Sequence[_Asking], one: Callable[[_Asking], Awaitable[TaskIdeas]]
) -> dict[str, TaskIdeas]:
    """One task after the other, and at the end the policy closed."""
    try:
        return {asking.task: await one(asking) for asking in askings}
    finally:
        await calls.close()


class _Asking:
    """Asks one task's questions, and counts."""

    def __init__(
        self, calls: Calls, task: str, ground: Ground, scaffold: ComponentRef, seed: int
    ) -> None:
        self.task = task
        self.info = ground.info
        self.answers: list[Completion] = []
        self._calls = calls
        self._scaffold = scaffold
        self._seed = seed

    async def about(self, axis: str, wanted: int) -> list[str]:
        """Distinct ideas: until there are as many as wanted, or a call brings nothing new."""
        known: list[str] = []
        for index in range(MOST_CALLS):
            count = min(A_CALL, wanted - len(known))
            request = request_for(
                self.info, self._scaffold, axis, count, tuple(known), self._seed, index
            )
            answer = await self._calls.answer(self.task, axis, index, request)
            self.answers.append(answer)
            more = distinct([*known, *ideas_in(answer.text)])
            if len(more) == len(known):
                break
            known = more
            if len(known) >= wanted:
                break
        return known


async def _one(asking: _Asking, wanted: dict[str, int], embed: Embed, keep: int) -> TaskIdeas:
    """One task's candidates, and those that are kept of each axis."""
    found = {axis: await asking.about(axis, count) for axis, count in wanted.items()}
    ideas = [Idea(text=text, axis=axis) for axis, texts in found.items() for text in texts]
    if not ideas:
        raise UsageError(
            f"The policy gave no idea for '{asking.task}'.",
            "Ask another one, or look at its answers in ideas.jsonl.",
        )
    between = distances(embed([idea.text for idea in ideas]))
    chosen: list[int] = []
    for axis in found:
        own = [place for place, idea in enumerate(ideas) if idea.axis == axis]
        among = between[own][:, own]
        select = farthest_on_average if axis == "" else farthest_points
        chosen.extend(own[place] for place in select(among, keep))
    costs = [answer.cost_usd for answer in asking.answers]
    known = [cost for cost in costs if cost is not None]
    return TaskIdeas(
        task=asking.task,
        data_hash=asking.info.data_hash,
        candidates=tuple(ideas),
        kept=tuple(ideas[place] for place in chosen),
        calls=len(costs),
        cost_usd=sum(known) if len(known) == len(costs) else None,
        before=mean_distance(between),
        after=mean_distance(between[chosen][:, chosen]),
    )


def _line(found: TaskIdeas, wanted: int) -> str:
    have = len(found.candidates)
    few = f" (of {wanted} wanted)" if have < wanted else ""
    spread = (
        f", mean distance {found.before:.2f} -> {found.after:.2f}"
        if found.before is not None and found.after is not None
        else ""
    )
    return f"{found.task}: {have} ideas{few}, {len(found.kept)} kept{spread}"
