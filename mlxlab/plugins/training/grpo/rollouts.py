"""The actions of one optimizer step: drawn, carried out while others are drawn, rewarded."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from time import perf_counter

from mlxlab.core.records import Completion
from mlxlab.core.training.states import State, Taken
from mlxlab.plugins.policies.local.prompts import Prompt
from mlxlab.plugins.training.choosing import Chooser
from mlxlab.plugins.training.drawn import Clock, Draws, draw, written
from mlxlab.plugins.training.grpo.layout import Layout
from mlxlab.plugins.training.prompting import Prompts
from mlxlab.plugins.training.revisiting import OwnStates
from mlxlab.plugins.training.scoring import Scoring


@dataclass
class Round:
    """One draw of states, and this process' part of their actions.

    Args:
        own: the number of each own state within the draw.
    """

    number: int
    own: list[int]
    states: list[State]
    prompts: list[Prompt]
    completions: list[Completion] = field(default_factory=list)
    futures: list[Future[Taken]] = field(default_factory=list)
    clock: Clock = field(default_factory=Clock)

    def places(self, state: int, group: int) -> range:
        """Where the actions of a state are, given its number within the draw."""
        place = self.own.index(state) * group
        return range(place, place + group)


class Rollouts:
    """Draws states and actions step after step, and answers what the trainer asks about them.

    A dataset row is no more than a label, which counts the drawn states of all steps; so the
    trainer's own place in its data says which states come next.

    Args:
        prompts: writes those of the drawn states.
        own: gives the states that the policy comes to by itself.
    """

    def __init__(
        self,
        prompts: Prompts,
        chooser: Chooser,
        scoring: Scoring,
        layout: Layout,
        own: OwnStates,
        *,
        seed: int,
        process: int = 0,
    ) -> None:
        self._prompts = prompts
        self._chooser = chooser
        self._scoring = scoring
        self._layout = layout
        self._own = own
        self._seed = seed
        self._process = process
        self.round: Round | None = None

    def at(self, labels: Sequence[str], draws: Draws) -> Round:
        """The round that labels belong to; begun where they are the first of it."""
        number = int(labels[0]) // self._layout.states
        if self.round is None or self.round.number != number:
            self.round = self._begun(number, draws)
        return self.round

    def asked(self, labels: Sequence[str]) -> tuple[Round, list[int]]:
        """The current round, and the places of the actions that a batch of labels asks for."""
        assert self.round is not None
        group = self._layout.group
        numbers = [int(label) % self._layout.states for label in labels[::group]]
        return self.round, [n for each in numbers for n in self.round.places(each, group)]

    def rewards(self, prompts: Sequence[str], **_: object) -> list[float | None]:
        """What GRPOTrainer calls for one backward pass: waits for its outcomes, and no others."""
        started = perf_counter()
        current, places = self.asked(prompts)
        taken = [current.futures[place].result() for place in places]
        current.clock.wait_s += perf_counter() - started
        return [self._scoring.value(each)[0] for each in taken]

    def _begun(self, number: int, draws: Draws) -> Round:
        """States in the order of their prompts' lengths, in which they are drawn and used."""
        clock = Clock()
        drawn = self._drawn(number, draws, clock)
        drawn.sort(key=lambda state: (len(self._prompts.of_state(state).ids), state.id))
        own = self._layout.own(self._process)
        states = [drawn[place] for place in own]
        prompts = [self._prompts.of_state(state) for state in states]
        current = Round(number, own, states, prompts, clock=clock)
        self._carry_out(current, draws)
        return current

    def _drawn(self, number: int, draws: Draws, clock: Clock) -> list[State]:
        """Own states as far as there are some, recorded ones for the rest."""
        wanted = self._layout.states
        visit = self._own.draw(number, self._own.share(wanted), written(draws))
        clock.play_s, clock.played = visit.seconds, visit.taken
        return visit.states + self._chooser.draw(number, wanted)[: wanted - len(visit.states)]

    def _carry_out(self, current: Round, draws: Draws) -> None:
        """Hand each wave over as soon as it is drawn: it runs while the next one is drawn."""
        seed = f"{self._seed}:{current.number}:{self._process}"
        asked = current.states, current.prompts
        drawn = draw(draws, self._scoring, asked, self._layout.group, seed, current.clock)
        current.completions, current.futures = drawn.completions, drawn.futures
