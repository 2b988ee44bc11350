"""Single actions from a fixed sample of states, and what they came to."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from mlxlab.api.evaluating.asking import answers, request_of
from mlxlab.api.evaluating.record import Mean, Singles, means
from mlxlab.core.policy import Policy, PolicyRequest
from mlxlab.core.records import Completion
from mlxlab.core.scaffold import Scaffold
from mlxlab.core.training.arena import Arena
from mlxlab.core.training.states import State, Taken

Ask = Callable[[State, int], PolicyRequest]
"""The request for a sample at a state, by the sample's number."""


@dataclass(frozen=True)
class Drawn:
    """One sampled action, with where it was taken."""

    state: State
    taken: Taken

    @property
    def improved(self) -> bool:
        """Whether the score is better than the state's, or the first one."""
        score, before = self.taken.score, self.state.decision.score
        if score is None:
            return False
        return before is None or self.state.info.metric.better(score, before)

    @property
    def valid(self) -> bool:
        """Whether the action could be carried out without an error."""
        return self.taken.observation is not None and self.taken.observation.status == "ok"

    @property
    def what(self) -> str:
        """The action as text, to tell repeats."""
        action = self.taken.action
        return "" if action is None else action.model_dump_json(exclude={"plan"})


async def draw(
    policy: Policy,
    scaffold: Scaffold,
    states: Sequence[State],
    arena: Arena,
    *,
    samples: int,
    seed: int,
    ask: Callable[[State, int, int], PolicyRequest] = request_of,
) -> list[Drawn]:
    """Let a policy answer each state `samples` times and carry all of it out."""
    asked = [state for state in states for _ in range(samples)]
    requests = [ask(state, seed, number % samples) for number, state in enumerate(asked)]
    found = await answers(policy, scaffold, requests)
    return await carried_out(asked, found, arena)


async def carried_out(
    states: Sequence[State], completions: Sequence[Completion], arena: Arena
) -> list[Drawn]:
    """Take one completion for each state."""
    futures = [
        asyncio.wrap_future(arena.submit(state, completion))
        for state, completion in zip(states, completions, strict=True)
    ]
    taken = await asyncio.gather(*futures)
    return [Drawn(state, each) for state, each in zip(states, taken, strict=True)]


def summed_up(drawn: Iterable[Drawn], rewards: Iterable[str], samples: int) -> Singles:
    """The figures of sampled actions: means over tasks of means over states."""
    whole = list(drawn)
    kept = [each for each in whole if not each.taken.failed]
    groups = {name: by_state(kept, _reward(name)) for name in rewards}
    groups["improvement"] = by_state(kept, lambda each: float(each.improved))
    groups["valid"] = by_state(kept, lambda each: float(each.valid))
    groups["unique"] = _unique(kept)
    return Singles(
        states=len({each.state.id for each in whole}),
        samples=samples,
        failed=len(whole) - len(kept),
        figures={name: found for name, by in groups.items() if (found := Mean.of(by.values()))},
        by_task={name: means(by) for name, by in groups.items()},
    )


def by_state(
    drawn: Iterable[Drawn], value: Callable[[Drawn], float | None]
) -> dict[str, list[float]]:
    """For each task, one mean for each of its states; without values where there is none."""
    found: dict[tuple[str, str], list[float]] = defaultdict(list)
    for each in drawn:
        if (number := value(each)) is not None:
            found[each.state.task, each.state.id].append(number)
    by_task: dict[str, list[float]] = defaultdict(list)
    for (task, _), numbers in sorted(found.items()):
        by_task[task].append(sum(numbers) / len(numbers))
    return dict(by_task)


def _reward(name: str) -> Callable[[Drawn], float | None]:
    def value(drawn: Drawn) -> float | None:
        found = drawn.taken.rewards.get(name)
        return None if found is None else found.value

    return value


def _unique(drawn: Iterable[Drawn]) -> dict[str, list[float]]:
    """Each task's share of different actions among all that were sampled on it."""
    found: dict[str, list[str]] = defaultdict(list)
    for each in drawn:
        found[each.state.task].append(each.what)
    return {task: [len(set(actions)) / len(actions)] for task, actions in sorted(found.items())}
