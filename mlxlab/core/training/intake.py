"""From a completion to what a trainer learns from it: read, look up, have carried out, judge."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass

from mlxlab.core.actions import Action
from mlxlab.core.environment import invalid, probed, refusal
from mlxlab.core.judging import rewarded
from mlxlab.core.policy import Policy
from mlxlab.core.records import CLEAN, Completion, Limits, RewardValue
from mlxlab.core.reward import StepView
from mlxlab.core.training.cache import Outcome, TransitionCache
from mlxlab.core.training.consulting import consult
from mlxlab.core.training.crew import CLOSED, Done, Job, Rules, reason
from mlxlab.core.training.keys import EDITED, outcome_key
from mlxlab.core.training.reading import Reader
from mlxlab.core.training.states import State, Taken
from mlxlab.core.training.stores import Stores
from mlxlab.core.training.totals import Tally


@dataclass(frozen=True)
class Terms:
    """What an arena's actions are taken on; see `Arena`. `sandbox` is its spec and version."""

    sandbox: str
    exec_timeout_s: float | None
    editor: Policy | None
    editor_name: str
    trust: bool


@dataclass(frozen=True)
class Asked:
    """An action that may be carried out, from which state, and who waits for what comes of it."""

    state: State
    action: Action
    limits: Limits
    key: str
    answer: Future[Taken]


class Intake:
    """Takes completions in from any thread; equal actions that are under way share an execution.

    Args:
        start: has a job carried out.
    """

    def __init__(
        self,
        reader: Reader,
        stores: Stores,
        rules: Rules,
        terms: Terms,
        cache: TransitionCache | None,
        start: Callable[[Job], None],
    ) -> None:
        self._reader = reader
        self._stores = stores
        self._rules = rules
        self._terms = terms
        self._cache = cache
        self._start = start
        self._lock = threading.Lock()
        self._flying: dict[str, Future[Done]] = {}
        self._private: dict[str, float] = {}
        self._closed = False
        self.tally = Tally()

    def submit(self, state: State, completion: Completion) -> Future[Taken]:
        """As `Arena.submit`."""
        answer: Future[Taken] = Future()
        answer.set_running_or_notify_cancel()
        try:
            self._take_in(state, completion, answer)
        except Exception as error:  # of a component, which it names
            self._fail(answer, None, reason(error))
        return answer

    def refused(self, state: State) -> str:
        """Why nothing is carried out from a state; empty where it may be."""
        if self._closed:
            return CLOSED
        if state.own or self._terms.trust:
            return ""
        return f"The task of {state.id} is not carried out: somebody else recorded the run."

    def private(self, key: str) -> float | None:
        """The private score of an outcome."""
        found = self._private.get(key)
        return self._cache.private(key) if found is None and self._cache is not None else found

    def close(self) -> bool:
        """Take nothing more in; whether it was open."""
        with self._lock:
            was_open, self._closed = not self._closed, True
        return was_open

    def _take_in(self, state: State, completion: Completion, answer: Future[Taken]) -> None:
        if refused := self.refused(state):
            self._fail(answer, None, refused)
            return
        action, problem = self._reader.read(state.decision, completion)
        why = refusal(state.decision, action, self._rules.handlers, problem)
        if why is not None or action is None:
            self._invalid(answer, state, action, why or problem)
            return
        wall_s = self._terms.exec_timeout_s or state.info.exec_timeout_s
        limits = state.decision.limits.model_copy(update={"wall_s": wall_s})
        key = outcome_key(
            state,
            action,
            limits=limits,
            sandbox=self._terms.sandbox,
            seed=self._rules.seed,
            probe=probed(self._rules.rewards, action),
            editor=self._terms.editor_name,
        )
        asked = Asked(state, action, limits, key, answer)
        if self._cache is None:
            self._run(asked, self._finished(asked))
        else:
            self._look_up(asked, self._cache)

    def _look_up(self, asked: Asked, cache: TransitionCache) -> None:
        with self._lock:
            outcome = cache.get(asked.key, self._lasting(asked.state))
            done = None if outcome is not None else self._flying.get(asked.key)
            first = outcome is None and done is None
            if first:
                done = self._flying[asked.key] = self._finished(asked)
        if outcome is not None:
            self._answer(asked, outcome, cached=True)
        elif first and done is not None:
            self._run(asked, done)
        elif done is not None:
            done.add_done_callback(lambda ended: self._ended(asked, ended.result(), cached=True))

    def _lasting(self, state: State) -> Callable[[Outcome], bool]:
        """Whether an outcome is all that is wanted: the workspace too, where those are kept."""
        if not self._rules.keep:
            return lambda outcome: True
        return lambda outcome: (
            outcome.next_state == CLEAN
            or (outcome.next_state is not None and self._stores.has(state, outcome.next_state))
        )

    def _finished(self, asked: Asked) -> Future[Done]:
        """What the one who has it carried out hears first: it is kept before others are told."""
        done: Future[Done] = Future()
        done.add_done_callback(lambda ended: self._keep(asked, ended.result()))
        return done

    def _run(self, asked: Asked, done: Future[Done]) -> None:
        terms, action = self._terms, asked.action
        edits = terms.editor is not None and action.type in EDITED
        ask = consult(terms.editor, asked.state) if edits and terms.editor is not None else None
        with self._lock:
            if not self._closed:
                self._start(Job(asked.state, action, asked.limits, ask, done))
                return
        done.set_result(Done(None, failed=CLOSED))

    def _keep(self, asked: Asked, done: Done) -> None:
        outcome = _outcome(asked.key, done)
        grade = done.effect.grade if done.effect is not None else None
        private = grade.private if grade is not None else None
        if private is not None:
            self._private[asked.key] = private
        try:
            if outcome is not None and done.repeats and self._cache is not None:
                self._cache.put(outcome, private)
        finally:
            with self._lock:
                self._flying.pop(asked.key, None)
            self._ended(asked, done, cached=False)

    def _ended(self, asked: Asked, done: Done, *, cached: bool) -> None:
        try:
            if (outcome := _outcome(asked.key, done)) is not None:
                self._answer(asked, outcome, cached=cached)
                return
        except Exception as error:  # whoever waits must hear of it
            done = Done(None, failed=reason(error))
        self._fail(asked.answer, asked.action, done.failed)

    def _answer(self, asked: Asked, outcome: Outcome, *, cached: bool) -> None:
        """Judge an outcome from the state that is asked about."""
        view = StepView(
            decision=asked.state.decision,
            action=asked.action,
            observation=outcome.observation,
            probe=outcome.probe,
        )
        taken = Taken(
            action=asked.action,
            observation=outcome.observation,
            probe=outcome.probe,
            rewards=self._rewarded(view, asked.state),
            seconds=0.0 if cached else outcome.seconds,
            cached=cached,
            key=asked.key,
            next_state=outcome.next_state if self._rules.keep else None,
        )
        self.tally.count(taken, outcome.seconds if cached else 0.0)
        asked.answer.set_result(taken)

    def _rewarded(self, view: StepView, state: State) -> dict[str, RewardValue]:
        rules = self._rules
        return rewarded(rules.rewards, view, state.info, rules.owners, rules.hooks)

    def _invalid(
        self, answer: Future[Taken], state: State, action: Action | None, why: str
    ) -> None:
        """The workspace stays as it is; where workspaces are kept, in the arena's own store."""
        if self._rules.keep:
            self._stores.of(state)
        seen = invalid(why)
        view = StepView(decision=state.decision, action=action, observation=seen)
        taken = Taken(
            action=action,
            observation=seen,
            rewards=self._rewarded(view, state),
            problem=why,
            next_state=state.decision.start if self._rules.keep else None,
        )
        self.tally.count(taken)
        answer.set_result(taken)

    def _fail(self, answer: Future[Taken], action: Action | None, why: str) -> None:
        taken = Taken(action=action, observation=None, failed=why)
        self.tally.count(taken)
        answer.set_result(taken)


def _outcome(key: str, done: Done) -> Outcome | None:
    """What is kept of an effect: neither grade nor rewards."""
    if done.effect is None:
        return None
    effect = done.effect
    return Outcome(
        key=key,
        observation=effect.observation,
        probe=effect.probe,
        next_state=effect.after.state,
        seconds=done.seconds,
    )
