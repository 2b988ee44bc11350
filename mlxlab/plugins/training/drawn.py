"""Actions that are carried out while others are still drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from time import perf_counter
from typing import Protocol

from mlxlab.core.records import Completion
from mlxlab.core.training.states import State, Taken
from mlxlab.plugins.policies.local.prompts import Prompt
from mlxlab.plugins.training.scoring import Scored, Scoring

Waves = Iterator[tuple[list[int], list[Completion]]]


class Draws(Protocol):
    """Draws `samples` completions for each prompt, some of them at a time."""

    def __call__(self, prompts: Sequence[Prompt], samples: int, seed: str, /) -> Waves:
        """Yield places, counted over all completions, with what was drawn for them."""
        ...


def written(draws: Draws) -> Callable[[Sequence[Prompt], str], list[Completion]]:
    """What draws one completion for each prompt, all of them at once."""

    def write(prompts: Sequence[Prompt], seed: str) -> list[Completion]:
        found: dict[int, Completion] = {}
        for where, completions in draws(prompts, 1, seed):
            found.update(zip(where, completions, strict=True))
        return [found[place] for place in range(len(prompts))]

    return write


@dataclass
class Clock:
    """Seconds of a step's phases; executing overlaps with what the model does.

    `play_s` are those of episodes that are played for own states, `played` their actions.
    """

    started: float = field(default_factory=perf_counter)
    generate_s: float = 0.0
    wait_s: float = 0.0
    play_s: float = 0.0
    played: int = 0
    began: float = 0.0
    ended: float = 0.0
    rounds: int = 0

    @property
    def execute_s(self) -> float:
        """From the first action that was handed over to the last outcome."""
        return max(0.0, self.ended - self.began)

    def figures(self) -> dict[str, float]:
        """Up to now.

        `wait_s` is the part of `execute_s` in which the model had nothing to do, and `update_s` all
        that is neither that nor sampling.
        """
        return self.of(perf_counter() - self.started)

    def of(self, step_s: float) -> dict[str, float]:
        """Of a step that took so long."""
        told = {
            "generate_s": self.generate_s,
            "execute_s": self.execute_s,
            "wait_s": self.wait_s,
            "update_s": step_s - self.generate_s - self.wait_s - self.play_s,
            "step_s": step_s,
        }
        return {**told, "play_s": self.play_s} if self.played else told

    def outcome(self, _: object = None) -> None:
        """One more outcome is there."""
        self.ended = max(self.ended, perf_counter())


@dataclass(frozen=True)
class Drawn:
    """Sampled actions of a step, with neighbours that share a state."""

    states: list[State]
    completions: list[Completion]
    futures: list[Future[Taken]]

    def scored(self, scoring: Scoring, group: int, clock: Clock) -> Scored:
        """Wait for all outcomes and judge them."""
        began = perf_counter()
        taken = [future.result() for future in self.futures]
        clock.wait_s += perf_counter() - began
        return scoring.judged(self.states, self.completions, taken, group)


def draw(
    draws: Draws,
    scoring: Scoring,
    asked: tuple[Sequence[State], Sequence[Prompt]],
    group: int,
    seed: str,
    clock: Clock,
) -> Drawn:
    """Sample actions, and hand each batch of them over as soon as it is there.

    Args:
        draws: samples them.
        scoring: has them carried out.
        asked: states with their prompts.
        group: actions of each state.
        seed: of the draws.
        clock: of the step.
    """
    states, prompts = asked
    began = perf_counter()
    there: dict[int, tuple[State, Completion, Future[Taken]]] = {}
    for places, completions in draws(prompts, group, seed):
        clock.began = clock.began or perf_counter()
        theirs = [states[place // group] for place in places]
        futures = scoring.submit(theirs, completions)
        for future in futures:
            future.add_done_callback(clock.outcome)
        there.update(zip(places, zip(theirs, completions, futures, strict=True), strict=True))
    clock.generate_s += perf_counter() - began
    parts = [there[place] for place in range(len(there))]
    return Drawn([p[0] for p in parts], [p[1] for p in parts], [p[2] for p in parts])
