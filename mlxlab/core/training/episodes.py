"""Whole episodes without a run folder: trees grown side by side, for comparators and reports.

An episode goes as `mlx run` with one worker goes: the same seed gives the same decisions, prompts
and draws. It differs where training does: an answer that holds no action is a step and is not asked
for again, no answer is asked for in a form, and neither time nor money limits it.
"""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from mlxlab.core.boundary import Boundary
from mlxlab.core.choices import choice_of, messages_of, text_of
from mlxlab.core.clock import now
from mlxlab.core.draws import of_call, of_choice
from mlxlab.core.errors import MlxError, PluginError
from mlxlab.core.policy import PolicyRequest
from mlxlab.core.records import Completion, Decision, Message, Step
from mlxlab.core.registry import Registry
from mlxlab.core.sandbox import Packages
from mlxlab.core.scaffold import Stop, Wait
from mlxlab.core.standing import Standing, ends
from mlxlab.core.training.arena import Arena
from mlxlab.core.training.settings import Setting, Settings
from mlxlab.core.training.states import State, Taken
from mlxlab.core.tree import Node, Remaining, RunContext, TreeView, best_scored

Answer = Callable[[Sequence[PolicyRequest]], Awaitable[Sequence[Completion | MlxError]]]
"""Answers the requests of one round, of all episodes together; an error ends its episode alone."""


UNKNOWN = Packages(python="", versions={}, cores=1, memory_bytes=0)
"""Stands for what programs find until the arena was asked."""


@dataclass(frozen=True)
class Start:
    """One episode that is to be played."""

    task: str
    scaffold: str
    seed: int


@dataclass(frozen=True)
class Turn:
    """One step of an episode: its state with the prompt, the answer, and what came of it."""

    state: State
    completion: Completion
    taken: Taken
    step: Step


@dataclass(frozen=True)
class Episode:
    """A played episode; `problem` says why it ended before its time."""

    start: Start
    turns: tuple[Turn, ...]
    problem: str = ""

    def best(self, steps: int | None = None) -> Turn | None:
        """The turn with the best public score among the first `steps`; the earliest of equals.

        As where a run chooses what to hand in, only programs that left a valid submission count.
        """
        turns = self.turns[:steps]
        if not turns:
            return None
        nodes = [Node(turn.step, "public", None) for turn in turns]
        best = best_scored(turns[0].state.info.metric, nodes)
        return None if best is None else turns[nodes.index(best)]


async def play(
    starts: Sequence[Start],
    answer: Answer,
    arena: Arena,
    *,
    steps: int,
    registry: Registry | None = None,
) -> list[Episode]:
    """Play episodes of `steps` steps side by side, a round of all of them at a time.

    What fails costs its own episode alone and is told in `Episode.problem`.

    Args:
        starts: the episodes.
        answer: answers one round's requests, in their order.
        arena: takes the actions; for scaffolds that go on in the workspace of an earlier step it
            has to keep states.
        steps: how many steps an episode has at most.
        registry: where scaffolds are found.
    """
    known = Settings(arena, registry)
    games = [Game(start, steps) for start in starts]
    for game in games:
        await game.open(known, arena)
    while asked := [(game, request) for game in games if (request := game.propose())]:
        answers = await answer([request for _, request in asked])
        playing = zip(asked, answers, strict=True)
        await asyncio.gather(*(game.go(said, arena) for (game, _), said in playing))
    return [game.episode() for game in games]


class Game:
    """One episode while it is played."""

    def __init__(self, start: Start, steps: int) -> None:
        self._start = start
        self._steps = steps
        self._turns: list[Turn] = []
        self._nodes: list[Node] = []
        self._standing = Standing()
        self._problem = ""
        self._over = steps < 1
        self._setting: Setting
        self._context: RunContext
        self._packages: Packages
        self._at: State

    async def open(self, settings: Settings, arena: Arena) -> None:
        """Make task and scaffold, and learn what prompts may promise."""
        try:
            self._setting = await asyncio.to_thread(
                settings.of, self._start.task, self._start.scaffold
            )
            self._context = self._setting.context(self._start.seed)
            nowhere = self._state(self._tree(UNKNOWN).decide("open"))
            self._packages = await asyncio.to_thread(arena.packages, nowhere)
        except Exception as error:
            self._fail(error)

    def propose(self) -> PolicyRequest | None:
        """The next request; None where the episode is over."""
        if self._over:
            return None
        try:
            return self._proposed()
        except Exception as error:
            self._fail(error)
            return None

    async def go(self, said: Completion | MlxError, arena: Arena) -> None:
        """Carry one answer out and take the step in."""
        try:
            if isinstance(said, MlxError):
                raise said
            await self._go(self._as_text(said), arena)
        except Exception as error:
            self._fail(error)

    def episode(self) -> Episode:
        """What was played."""
        return Episode(self._start, tuple(self._turns), self._problem)

    def _proposed(self) -> PolicyRequest | None:
        tree = self._tree(self._packages)
        scaffold, who, done = self._setting.scaffold, self._setting.who, len(self._turns)
        with Boundary(who, "propose"):
            proposed: object = scaffold.propose(tree, of_choice(self._start.seed, done))
        choice = choice_of(who, proposed, done)
        if isinstance(choice, Stop):
            self._over = True
            return None
        if isinstance(choice, Wait):
            raise PluginError(f"{who} wants to wait, though no step is being taken.")
        with Boundary(who, "prompt"):
            said: object = scaffold.prompt(choice, tree)
        messages = tuple(messages_of(who, said))
        standing = self._standing.after(choice.parent)
        self._at = self._state(choice.model_copy(update={"score": standing}), messages)
        return PolicyRequest(
            messages=messages,
            decision=choice,
            task=self._setting.info,
            seed=of_call(choice, 0),
        )

    async def _go(self, completion: Completion, arena: Arena) -> None:
        state, started = self._at, now()
        taken = await asyncio.wrap_future(arena.submit(state, completion))
        if taken.observation is None:
            raise PluginError(taken.failed or "nothing came of the action")
        step = Step(
            run_id=self._name,
            step=state.decision.step,
            parent=state.decision.parent,
            decision=state.decision,
            completion=completion,
            action=taken.action,
            state=state.decision.start,
            next_state=taken.next_state,
            observation=taken.observation,
            probe=taken.probe,
            rewards=dict(taken.rewards),
            started_at=started,
            ended_at=now(),
        )
        self._turns.append(Turn(state, completion, taken, step))
        self._nodes.append(Node(step, self._context.feedback, None))
        self._standing.add(step)
        self._over = ends(step) or len(self._turns) >= self._steps

    def _as_text(self, completion: Completion) -> Completion:
        """An answer in an action as the text that says the same."""
        if completion.action is None:
            return completion
        with Boundary(self._setting.who, "render"):
            found: object = self._setting.scaffold.render(self._at.decision, completion.action)
        text = text_of(self._setting.who, "render", found)
        return completion.model_copy(update={"text": text, "action": None})

    def _tree(self, packages: Packages) -> TreeView:
        done = len(self._turns)
        return TreeView(
            self._setting.info,
            self._context,
            packages,
            self._nodes,
            remaining=Remaining(steps=self._steps - done),
            next_step=done,
        )

    def _state(self, decision: Decision, messages: tuple[Message, ...] = ()) -> State:
        return State(
            id=f"{self._name}/{decision.step}",
            task=self._start.task,
            info=self._setting.info,
            decision=decision,
            said=messages,
        )

    @property
    def _name(self) -> str:
        return f"{self._start.task}+{self._start.scaffold}#{self._start.seed}"

    def _fail(self, error: Exception) -> None:
        """End the episode; what was played stays."""
        self._over = True
        told = str(error) if isinstance(error, MlxError) else ""
        self._problem = told or traceback.format_exception_only(error)[-1].strip()
