"""Which recorded states an optimizer step draws."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import gcd, log, sqrt
from random import Random
from typing import Literal

from mlxlab.core.errors import MlxError, UsageError
from mlxlab.core.trainer import TrainJob
from mlxlab.core.training.examples import Corpus
from mlxlab.core.training.states import State
from mlxlab.plugins.training.ideas import stripped

How = Literal["uniform", "task", "variance"]
Ideas = Literal["keep", "strip"]
FLOOR = 0.1
"""What a state without variance weighs, where one of average variance weighs 1."""
_LEAST = 1e-12


@dataclass(frozen=True)
class Pool:
    """The states of a corpus, each once.

    Args:
        equal: how many recorded decisions had the prompt, start and score of an earlier one.
    """

    states: tuple[State, ...]
    equal: int


def pool(corpus: Corpus, change: Callable[[State], State] = lambda state: state) -> Pool:
    """The states that actions can be taken from.

    Two decisions with the same prompt, start and current score are one state: the same actions
    have the same chances and the same rewards there.

    Args:
        corpus: what was recorded.
        change: what is done to each state first, such as leaving ideas out of its prompt.

    Raises:
        UsageError: there is none.
    """
    told = [
        change(example.state)
        for example in corpus.examples
        if example.state.decision.prompt is not None or example.state.said is not None
    ]
    found = distinct(told)
    if not found:
        raise UsageError(
            "No recorded step holds a state that an action could be taken from.",
            "Record some runs first: mlx run --task flights --scaffold linear",
        )
    return Pool(found, len(told) - len(found))


def distinct(states: Iterable[State]) -> tuple[State, ...]:
    """Each state once; the first of equal ones."""
    found: dict[Hashable, State] = {}
    for state in states:
        found.setdefault(_key(state), state)
    return tuple(found.values())


def recorded(job: TrainJob, ideas: Ideas) -> tuple[State, ...]:
    """The states of a job, with or without the ideas that exploration wove in; tells of equal ones.

    Raises:
        UsageError: there is none.
    """
    found = pool(job.corpus, without_ideas) if ideas == "strip" else pool(job.corpus)
    if found.equal:
        job.warn(f"{found.equal} recorded states were equal to others and count once.")
    return found.states


def without_ideas(state: State) -> State:
    """A state whose prompt holds none of the ideas that exploration wove in."""
    if not state.info.ideas:
        return state
    try:
        messages = stripped(state.messages(), state.info.ideas)
    except MlxError:  # told when its prompt is asked for
        return state
    return replace(state, said=tuple(messages))


def _key(state: State) -> Hashable:
    decision = state.decision
    said = None if state.said is None else tuple((each.role, each.content) for each in state.said)
    prompt: Hashable = decision.prompt if said is None else said
    scaffold = decision.scaffold.spec
    return state.task, decision.data_hash, scaffold, prompt, decision.start, decision.score


@dataclass
class Seen:
    """The rewards that were seen at one state: how many, their mean, their squared deviations."""

    count: int = 0
    mean: float = 0.0
    squares: float = 0.0

    def add(self, value: float) -> None:
        """Take one more in, by Welford's rule."""
        self.count += 1
        before = value - self.mean
        self.mean += before / self.count
        self.squares += before * (value - self.mean)

    @property
    def variance(self) -> float | None:
        """None before there are two."""
        return self.squares / (self.count - 1) if self.count > 1 else None


class Chooser:
    """Draws states: a function of seed, draw number and rewards seen, so that it can go on.

    ML-Agent (arXiv 2505.23723) samples its states from expert trajectories and leaves open how.
    `uniform` goes through all states in a new order each time, as in the paper's single epoch; the
    last ones of an order, too few for a draw, open the next draw. Equal decisions count once, where
    the paper's expert distribution counts the first state of a task as often as it was recorded.
    `task` takes tasks in turn, so that one with many recorded steps counts no more than another.
    `variance` prefers states where rewards differed, since groups without variance teach nothing;
    it goes by all rewards seen there, so it favours states that the policy has learned, too.

    Args:
        states: without duplicates.
    """

    def __init__(self, states: Sequence[State], how: How = "uniform", seed: int = 0) -> None:
        self._states = list(states)
        self._how = how
        self._seed = seed
        self._known = {state.id for state in self._states}
        self._seen: dict[str, Seen] = {}
        self._orders: dict[str, list[int]] = {}
        self._tasks: dict[str, list[int]] = {}
        for number, state in enumerate(self._states):
            self._tasks.setdefault(state.task, []).append(number)

    def draw(self, number: int, count: int) -> list[State]:
        """The states of one draw; but for `task`, none comes twice while there are enough of them.

        Args:
            number: of the draw, from 0.
            count: how many states.
        """
        draws = {"uniform": self._uniform, "task": self._by_task, "variance": self._by_variance}
        return [self._states[each] for each in draws[self._how](number, count)]

    def saw(self, states: Sequence[State], rewards: Sequence[float | None]) -> None:
        """Take in the rewards of actions; those without one, or elsewhere, tell nothing."""
        for state, reward in zip(states, rewards, strict=True):
            if reward is not None and state.id in self._known:
                self._seen.setdefault(state.id, Seen()).add(reward)

    def kept(self) -> dict[str, tuple[int, float, float]]:
        """What was seen, for a checkpoint."""
        return {name: (seen.count, seen.mean, seen.squares) for name, seen in self._seen.items()}

    def restore(self, kept: Mapping[str, Sequence[float]]) -> None:
        """Go on from what a checkpoint kept."""
        self._seen = {
            name: Seen(int(count), mean, squares) for name, (count, mean, squares) in kept.items()
        }

    def _uniform(self, number: int, count: int) -> list[int]:
        return self._in_turn("all", range(len(self._states)), number, count)

    def _in_turn(self, name: str, items: Sequence[int], number: int, count: int) -> list[int]:
        """Each item once in every epoch; the last draw of one takes the first items of the next.

        Where there are fewer items than a draw takes, each draw holds all of them, some once more.
        """
        if len(items) < count:
            orders = (self._order(f"{name}:{number}:{n}", items) for n in range(count))
            return [each for order in orders for each in order][:count]
        epoch, place = divmod(number * count, len(items))
        drawn = self._epoch(name, items, epoch, count)[place : place + count]
        if len(drawn) < count:
            drawn += self._epoch(name, items, epoch + 1, count)[: count - len(drawn)]
        return drawn

    def _epoch(self, name: str, items: Sequence[int], epoch: int, count: int) -> list[int]:
        """The items in the order of an epoch, which opens with none of the same draw.

        It depends on the order before only as far back as to an epoch that a draw began with.
        """
        size, order = len(items), list[int]()
        for each in range(epoch - epoch % (count // gcd(size, count)), epoch + 1):
            begun = each * size % count  # by the last ones of the epoch before
            there = set(order[size - begun :])
            new = self._order(f"{name}:{each}", items)
            first = [item for item in new if item not in there][: count - begun]
            taken = set(first)
            order = first + [item for item in new if item not in taken]
        return order

    def _by_task(self, number: int, count: int) -> list[int]:
        """Tasks in turn, a new order for each round; within a task its states in turn."""
        names = list(self._tasks)
        drawn = []
        for slot in range(number * count, (number + 1) * count):
            turn, place = divmod(slot, len(names))
            name = names[self._order(f"tasks:{turn}", range(len(names)))[place]]
            drawn += self._in_turn(name, self._tasks[name], turn, 1)
        return drawn

    def _by_variance(self, number: int, count: int) -> list[int]:
        """Without replacement, by the keys of Efraimidis and Spirakis (2006)."""
        rng = Random(f"{self._seed}:{number}")
        keys = [
            (log(rng.random() or _LEAST) / weight, n) for n, weight in enumerate(self._weights())
        ]
        order = [n for _, n in sorted(keys, reverse=True)]
        return [order[place % len(order)] for place in range(count)]

    def _weights(self) -> list[float]:
        """The standard deviation at each state, relative to the mean one; never below the floor.

        A state that was not tried yet weighs 1, as much as the mean.
        """
        found = [self._seen.get(state.id, Seen()).variance for state in self._states]
        known = [sqrt(variance) for variance in found if variance is not None]
        mean = sum(known) / len(known) if known else 0.0
        if mean <= 0:
            return [1.0] * len(found)
        return [1.0 if each is None else max(FLOOR, sqrt(each) / mean) for each in found]

    def _order(self, name: str, items: Sequence[int]) -> list[int]:
        key = f"{name}/{len(items)}"
        if key not in self._orders:
            if len(self._orders) > 2 * len(self._tasks) + 8:
                self._orders.clear()
            order = list(items)
            Random(f"{self._seed}:{name}").shuffle(order)
            self._orders[key] = order
        return self._orders[key]
