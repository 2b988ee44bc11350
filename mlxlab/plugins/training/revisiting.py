"""States that the policy in training comes to by itself, mixed with recorded ones."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from time import perf_counter

from pydantic import BaseModel, Field

from mlxlab.core.errors import MlxError, UsageError
from mlxlab.core.jsonl import as_json, read_jsonl
from mlxlab.core.policy import PolicyRequest
from mlxlab.core.records import CLEAN, Completion, Decision, Message, Record
from mlxlab.core.removal import remove_tree
from mlxlab.core.trainer import TrainJob
from mlxlab.core.training.episodes import Episode, Start, play
from mlxlab.core.training.states import State
from mlxlab.plugins.training.choosing import distinct
from mlxlab.plugins.training.playing import Write, answers, places
from mlxlab.plugins.training.prompting import Prompts

FOLDER = "own"


class Revisits(BaseModel):
    """Options of the trainers that can mix own states in."""

    own: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Share of a step's states that the policy came to in episodes of its own. 0: "
        "recorded states alone, as in the paper.",
    )
    own_every: int = Field(10, gt=0, description="Steps between such episodes.")
    own_episodes: int = Field(16, gt=0, description="How many are played at a time.")
    own_turns: int = Field(5, gt=0, description="Actions of each.")


class Kept(Record):
    """One own state as it is kept for a training that is killed."""

    id: str
    task: str
    decision: Decision
    said: tuple[Message, ...]


@dataclass(frozen=True)
class Visit:
    """The own states of a draw, and what finding them took: actions, and seconds."""

    states: list[State]
    taken: int = 0
    seconds: float = 0.0


class OwnStates:
    """Draws states from episodes that the policy plays every few steps.

    Step-wise training keeps to states of experts (d^{pi_e} in equation 4 of ML-Agent, arXiv
    2505.23723). A policy that finds there what is best in one move never meets the states that
    follow its own moves; in a closed loop it then makes the same move again and again. A share of
    own states shows it what comes next, as in DAgger (Ross et al., arXiv 1011.0686). This is not in
    the paper.

    The states lie in OUT/own until the next ones are played, so that a killed training goes on
    with the same ones.

    Args:
        job: its corpus says where episodes are played.
        options: how many, how often.
        prompts: of the model.
        processes: that train together; only one can.

    Raises:
        UsageError: no episode can be played.
    """

    def __init__(
        self, job: TrainJob, options: Revisits, prompts: Prompts, processes: int = 1
    ) -> None:
        if options.own and processes > 1:
            raise UsageError("own states are for trainings in one process.", "Leave own out.")
        self._job, self._options, self._prompts = job, options, prompts
        self._places = places(job) if options.own else []
        self._states: tuple[State, ...] = ()
        self._turn = -1

    def share(self, count: int) -> int:
        """How many of a draw's states are own ones."""
        return round(count * self._options.own)

    def draw(self, number: int, count: int, write: Write) -> Visit:
        """So many own states for a draw; fewer where episodes came to none.

        Args:
            number: of the draw, from 0.
            count: how many are wanted.
            write: answers for the policy as it stands.
        """
        if not count:
            return Visit([])
        began, taken = perf_counter(), 0
        turn = number - number % self._options.own_every
        if turn != self._turn:
            known = self._known(turn) if number != turn else None
            if known is None:
                known, taken = self._played(turn, write)
            self._states, self._turn = known, turn
        order = list(self._states)
        Random(f"{self._job.seed}:own:{number}").shuffle(order)
        return Visit(order[:count], taken, perf_counter() - began)

    def _played(self, turn: int, write: Write) -> tuple[tuple[State, ...], int]:
        assert self._job.arena is not None
        rounds = 0

        async def answer(requests: Sequence[PolicyRequest]) -> list[Completion | MlxError]:
            nonlocal rounds
            rounds += 1
            seed = f"{self._job.seed}:own:{turn}:{rounds}"
            return answers(requests, self._prompts, write, seed)

        steps = self._options.own_turns
        episodes = asyncio.run(play(self._starts(turn), answer, self._job.arena, steps=steps))
        self._tell(episodes)
        states = distinct([each.state for episode in episodes for each in episode.turns])
        self._keep(turn, states)
        return states, sum(len(episode.turns) for episode in episodes)

    def _starts(self, turn: int) -> list[Start]:
        """Tasks in turn, in a new order each time."""
        rng = Random(f"{self._job.seed}:own:{turn}:places")
        order = rng.sample(self._places, len(self._places))
        count = self._options.own_episodes
        return [Start(*order[n % len(order)], rng.getrandbits(31)) for n in range(count)]

    def _tell(self, episodes: Sequence[Episode]) -> None:
        for problem in dict.fromkeys(each.problem for each in episodes if each.problem):
            self._job.warn(f"An episode for own states ended early: {problem}")
        decisions = (turn.state.decision for episode in episodes for turn in episode.turns)
        if any(decision.start != CLEAN for decision in decisions):
            raise UsageError(
                "own states are for scaffolds that start each step from the clean workspace, such "
                "as recipe and aide.",
                "Leave own out.",
            )

    def _keep(self, turn: int, states: Sequence[State]) -> None:
        """Write the states whole, then let the older ones go."""
        folder = self._job.out / FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        path = self._path(turn)
        new = path.with_suffix(".new")
        kept = [
            Kept(id=s.id, task=s.task, decision=s.decision, said=tuple(s.messages()))
            for s in states
        ]
        new.write_bytes(b"".join(as_json(each) + b"\n" for each in kept))
        new.replace(path)
        for old in folder.iterdir():
            if old != path and old != self._path(turn - self._options.own_every):
                remove_tree(old)

    def _known(self, turn: int) -> tuple[State, ...] | None:
        """What an earlier process kept of this turn; None where it is not there."""
        path = self._path(turn)
        if not path.is_file():
            return None
        assert self._job.arena is not None
        info = self._job.arena.info
        return tuple(
            State(id=k.id, task=k.task, info=info(k.task), decision=k.decision, said=k.said)
            for k in read_jsonl(path, Kept)
        )

    def _path(self, turn: int) -> Path:
        return self._job.out / FOLDER / f"{turn:06d}.jsonl"
