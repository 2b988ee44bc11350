"""From a decision to an action: prompt, policy calls, repairs; each call recorded before use."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from mlxlab.core.account import Accounts
from mlxlab.core.actions import Action
from mlxlab.core.boundary import Boundary, whose
from mlxlab.core.budget import Budget
from mlxlab.core.cache import EDITOR_ROLES, Cache
from mlxlab.core.choices import messages_of, text_of
from mlxlab.core.clock import now
from mlxlab.core.draws import of_call
from mlxlab.core.errors import BudgetSpent, ContextTooLong, CutOff, MlxError, broken
from mlxlab.core.jsonl import scrubbed
from mlxlab.core.patience import PATIENCE_S, Patience, Tries
from mlxlab.core.pauses import Telling
from mlxlab.core.policy import Form, Policy, PolicyRequest
from mlxlab.core.provider import Provider
from mlxlab.core.records import Call, Completion, ComponentRef, Decision, Message, Role
from mlxlab.core.refusals import said, unusable
from mlxlab.core.runs import RunWriter
from mlxlab.core.scaffold import Ask, Formed, Scaffold
from mlxlab.core.shortening import shortened
from mlxlab.core.stated import Noted, unheard
from mlxlab.core.tree import TreeView

_ACTION: TypeAdapter[Action] = TypeAdapter(Action)
T = TypeVar("T")


@dataclass(frozen=True)
class Answer:
    """What a step's calls came to; `problem` says why there is no action."""

    decision: Decision
    prompt: str
    calls: tuple[int, ...]
    completion: Completion
    action: Action | None
    problem: str = ""


class Consultation:
    """Calls to the editor that one step makes beyond the agent's own; awaited like a function.

    Asked the same twice, which happens where a sandbox's engine fails and the action is carried
    out anew, it gives the same answer. `calls` are the indices of the calls that were made.
    """

    def __init__(self, caller: Caller, decision: Decision, tree: TreeView, first: int) -> None:
        self._caller = caller
        self._decision = decision
        self._tree = tree
        self._first = first
        self._answers: dict[tuple[Role, tuple[Message, ...]], Completion] = {}

    @property
    def calls(self) -> tuple[int, ...]:
        """The indices of the calls up to now."""
        return tuple(range(self._first, self._first + len(self._answers)))

    async def __call__(self, role: Role, messages: Sequence[Message]) -> Completion | None:
        """The editor's answer; None where the budget allows no further call."""
        asked = role, tuple(messages)
        if asked not in self._answers:
            index = self._first + len(self._answers)
            answer = await self._caller.consulted(self._decision, self._tree, *asked, index)
            if answer is None:
                return None
            self._answers[asked] = answer
        return self._answers[asked]


class Caller:
    """Asks the policy for one step at a time, and answers from the record where it can.

    Args:
        names: the policy's and the scaffold's references, to say whose fault a failure is.
        patience_s: how long a provider may fail before the run stops, in seconds.
        editor: answers what is asked with the roles `editor` and `summary`; None: the policy.
        cache: answers of earlier runs, given instead of asking; None: every request is asked.
        tell: who hears of it when the run waits for a provider.
        noted: hears of what a policy fails to state.
    """

    def __init__(
        self,
        policy: Policy,
        scaffold: Scaffold,
        writer: RunWriter,
        budget: Budget,
        names: dict[str, ComponentRef],
        patience_s: float = PATIENCE_S,
        editor: Policy | None = None,
        cache: Cache | None = None,
        tell: Telling | None = None,
        noted: Noted = unheard,
    ) -> None:
        self._scaffold = scaffold
        self._writer = writer
        self._budget = budget
        self._names = names
        self._patience = Patience(patience_s, lambda: budget.remaining().time_s)
        asked = {"policy": policy}
        if editor is not None and editor is not policy:
            asked["editor"] = editor
        self._providers = self._made(asked, Accounts(self._patience, tell), noted)
        self._cache = cache
        self._recorded: dict[tuple[int, int], Call] = {}
        self._begun = {decision.step: decision for decision in writer.decisions()}
        for call in writer.calls():
            budget.count_call(call.completion, (call.step, call.index), call.cut_off)
            if call.completion is not None:
                self._recorded[call.step, call.index] = call
                if cache is not None:
                    cache.count(call.completion)

    def decisions(self) -> list[Decision]:
        """The decision of every step that was begun, in the order of the steps."""
        return [self._begun[step] for step in sorted(self._begun)]

    def paid(self, decision: Decision) -> bool:
        """Whether the record holds the first answer of a step."""
        return (decision.step, 0) in self._recorded

    async def answer(self, decision: Decision, tree: TreeView) -> Answer:
        """Ask until an action is read, or the scaffold's asks or the budget are used up.

        Raises:
            PolicyError: the provider failed for longer than the patience.
            PluginError: scaffold or policy broke their promise.
            BudgetSpent: the budget allows not even the first call.
        """
        messages = self._first_prompt(decision, tree)
        if decision.prompt is None:
            decision = decision.model_copy(update={"prompt": self._writer.add_prompt(messages)})
            self._writer.add_decision(decision)
        role: Role = "policy"
        index = 0
        unread: Answer | None = None
        while True:
            try:
                prompt, completion = await self._call(decision, tree, messages, role, index)
            except BudgetSpent:
                if unread is None:
                    raise
                return unread
            read = self._parsed(decision, completion)
            calls = tuple(range(index + 1))
            if not isinstance(read, Ask):
                return Answer(decision, prompt, calls, completion, read)
            problem = unusable(completion, read.reason)
            unread = Answer(decision, prompt, calls, completion, None, problem)
            repaid = (decision.step, index + 1) in self._recorded
            if index >= self._scaffold.max_asks or (self._budget.spent_out() and not repaid):
                return unread
            reply = Message(role="assistant", content=said(completion))
            more = messages_of(whose(self._names["scaffold"]), read.messages)
            messages = [*self._writer.prompt(prompt), reply, *more]
            role = read.role
            index += 1

    def consultation(self, decision: Decision, tree: TreeView, first: int) -> Consultation:
        """The editor for one step, whose calls are counted from index `first`."""
        return Consultation(self, decision, tree, first)

    async def consulted(
        self,
        decision: Decision,
        tree: TreeView,
        role: Role,
        messages: Sequence[Message],
        index: int,
    ) -> Completion | None:
        """One call to the editor; None where the budget allows none and none was paid before."""
        paid = (decision.step, index) in self._recorded
        if not paid and self._budget.spent_out():
            return None
        try:
            _, completion = await self._call(decision, tree, messages, role, index)
        except BudgetSpent:
            return None
        return completion

    def give_up(self) -> None:
        """Try no failing call again, nor wait for it: the run is going to stop."""
        self._patience.give_up()

    @property
    def policies(self) -> tuple[Policy, ...]:
        """Who is asked: the policy, and the editor if it is another one."""
        return tuple(provider.policy for provider in self._providers.values())

    async def close(self) -> None:
        """Close the policy and the editor, whatever the first of them has to say about it."""
        first, *others = self._providers.values()
        try:
            await first.close()
        finally:
            for editor in others:
                await editor.close()

    def _first_prompt(self, decision: Decision, tree: TreeView) -> Sequence[Message]:
        if decision.prompt is not None:
            return self._writer.prompt(decision.prompt)
        found: object = self._of("scaffold", self._scaffold.prompt, decision, tree)
        return messages_of(whose(self._names["scaffold"]), found)

    async def _call(
        self,
        decision: Decision,
        tree: TreeView,
        messages: Sequence[Message],
        role: Role,
        index: int,
    ) -> tuple[str, Completion]:
        """The answer, and the prompt that it answers, which may be a shortened one."""
        recorded = self._recorded.pop((decision.step, index), None)
        if recorded is not None and recorded.completion is not None:
            return recorded.prompt, recorded.completion
        request = PolicyRequest(
            messages=tuple(messages),
            decision=decision,
            task=tree.task,
            role=role,
            index=index,
            seed=of_call(decision, index),
            form=self._form(decision, role),
        )
        return await self._ask(request)

    async def _ask(self, request: PolicyRequest) -> tuple[str, Completion]:
        """One call with retries; each try is recorded before anything is done with it."""
        # An editor that is shown a part of a script would write back that part alone.
        shorter = shortened(request.messages) if request.role != "editor" else iter(())
        provider = self._providers[self._asked(request.role)]
        tries = Tries(Random(request.seed))
        while True:
            if (known := self._known(request)) is not None:
                return known
            prompt, answer = await self._turn(provider, request, tries)
            if isinstance(answer, Completion):
                return prompt, answer
            if answer is not None:
                if (messages := next(shorter, None)) is None:
                    raise answer
                request = request.model_copy(update={"messages": messages})

    async def _turn(
        self, provider: Provider, request: PolicyRequest, tries: Tries
    ) -> tuple[str, Completion | ContextTooLong | None]:
        """One try, once budget and account allow it; None where the same is to be tried again."""
        bounds = await provider.bounds(request)
        async with self._budget.call(bounds) as held:
            request = request.model_copy(update={"token_limit": held.token_limit})
            async with provider.turn(tries, bounds) as turn:
                if self._patience.given_up and request.index == 0:
                    raise BudgetSpent("No further step is begun: the run is going to stop.")
                prompt, answer = await self._tried(provider, request, tries)
                return prompt, provider.judged(request, answer, tries, turn)

    def _known(self, request: PolicyRequest) -> tuple[str, Completion] | None:
        """The recorded answer of an earlier run, recorded as this run's; it reserves no money."""
        name = self._asked(request.role)
        found = self._cache.take(request, self._names[name]) if self._cache else None
        if found is None:
            return None
        prompt = self._writer.add_prompt(found.messages)
        self._record(request, prompt, now(), found.completion, None)
        return prompt, found.completion

    def _asked(self, role: Role) -> str:
        """Whose name a call of this role goes under: the editor's, if there is one for it."""
        own = role in EDITOR_ROLES and "editor" in self._providers
        return "editor" if own else "policy"

    async def _tried(
        self, provider: Provider, request: PolicyRequest, tries: Tries
    ) -> tuple[str, Completion | MlxError]:
        """One try, recorded: its prompt, and the completion or why there is none."""
        prompt = self._writer.add_prompt(request.messages)
        started = now()
        try:
            completion = await provider.answer(request, self._patience.try_s)
        except MlxError as error:
            cut_off = isinstance(error, CutOff) and await provider.may_be_billed()
            self._record(request, prompt, started, None, str(error), cut_off)
            return prompt, error
        except asyncio.CancelledError:
            cut_off = True
            try:
                cut_off = await provider.may_be_billed()
            finally:
                why = "Interrupted before an answer."
                self._record(request, prompt, started, None, why, cut_off)
            raise
        completion = completion.model_copy(update={"attempts": tries.number})
        try:
            completion = self._rendered(request, completion)
        finally:
            self._record(request, prompt, started, completion, None)
        return prompt, completion

    def _made(
        self, policies: dict[str, Policy], accounts: Accounts, noted: Noted
    ) -> dict[str, Provider]:
        """Everybody who is asked, by the name that calls go under."""
        limited, refs = self._budget.limits_money, self._names
        return {
            name: Provider(policy, ref, accounts.of(policy, whose(ref)), limited, noted)
            for name, policy in policies.items()
            for ref in (refs[name],)
        }

    def _form(self, decision: Decision, role: Role) -> Form | None:
        """The form of an answer, where the scaffold has one; what an editor answers is text."""
        if role in EDITOR_ROLES or not isinstance(self._scaffold, Formed):
            return None
        found: object = self._of("scaffold", self._scaffold.form, decision)
        if found is None or isinstance(found, Form):
            return found
        who, kind = whose(self._names["scaffold"]), type(found).__name__
        raise broken(who, "form", f"returned {kind}, no Form")

    def _rendered(self, request: PolicyRequest, completion: Completion) -> Completion:
        """An answer in actions or in fields, as the text that says the same."""
        if completion.action is not None:
            text = self._text(self._scaffold.render, request.decision, completion.action)
            return completion.model_copy(update={"text": text, "action": None})
        if completion.fields is None or request.form is None:
            return completion
        if not isinstance(self._scaffold, Formed):
            return completion
        fields = scrubbed(completion.fields)
        text = self._text(self._scaffold.written, request.decision, fields)
        return completion.model_copy(update={"text": text, "fields": fields})

    def _parsed(self, decision: Decision, completion: Completion) -> Action | Ask:
        read: object = self._of("scaffold", self._scaffold.parse, decision, completion)
        if isinstance(read, Ask):
            return read
        try:
            return _ACTION.validate_python(read)
        except ValidationError as error:
            who, kind = whose(self._names["scaffold"]), type(read).__name__
            raise broken(who, "parse", f"returned {kind}, no action and no Ask") from error

    def _record(
        self,
        request: PolicyRequest,
        prompt: str,
        started: datetime,
        completion: Completion | None,
        error: str | None,
        cut_off: bool = False,
    ) -> None:
        call = Call(
            step=request.decision.step,
            index=request.index,
            role=request.role,
            decision=request.decision,
            prompt=prompt,
            sampling=request.sampling.model_dump(exclude_none=True),
            form=request.form.name if request.form else None,
            token_limit=request.token_limit,
            completion=completion,
            error=error,
            cut_off=cut_off,
            started_at=started,
            ended_at=now(),
        )
        self._writer.add_call(call)
        self._budget.count_call(completion, (call.step, call.index), cut_off)

    def _of(self, kind: str, function: Callable[..., T], *arguments: object) -> T:
        """Call a component's function; a failure is its own, by name."""
        with Boundary(whose(self._names[kind]), getattr(function, "__name__", "call")):
            return function(*arguments)

    def _text(self, function: Callable[..., str], *arguments: object) -> str:
        """A text that the scaffold writes for a policy."""
        who, where = whose(self._names["scaffold"]), getattr(function, "__name__", "call")
        return text_of(who, where, self._of("scaffold", function, *arguments))
