"""One policy as the Runner asks it: whose fault a failure is, and what a call may take."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from mlxlab.core.account import Account, Turn
from mlxlab.core.answers import recordable
from mlxlab.core.boundary import Late, answering, awaited, whose
from mlxlab.core.errors import ContextTooLong, CutOff, MlxError, PolicyError
from mlxlab.core.patience import Tries
from mlxlab.core.policy import Policy, PolicyRequest, Price
from mlxlab.core.records import Completion, ComponentRef
from mlxlab.core.reserve import ROOMY, Bounds, Gauge
from mlxlab.core.stated import Noted, bound_of, dearest_of, owned, price_of, unheard
from mlxlab.core.watch import limit_s


class _Unanswered(Late):
    """No answer came in time, which another try may change."""


class Provider:
    """A policy with what its calls have shown of it.

    Args:
        account: what its calls share with others.
        limited: whether the run has a limit of money, so that the price matters.
        noted: hears of a price or bound that fails, which costs no call.
    """

    def __init__(
        self,
        policy: Policy,
        ref: ComponentRef,
        account: Account,
        limited: bool = False,
        noted: Noted = unheard,
    ) -> None:
        self.policy = policy
        self.account = account
        self._ref = ref
        self._limited = limited
        self._noted = noted
        self._gauge = Gauge()
        self._longest: int | None = None
        self._price: asyncio.Future[Price | None] | None = None

    @property
    def named(self) -> str:
        """Kind, name and version, to say whose fault a failure is."""
        return whose(self._ref)

    async def bounds(self, request: PolicyRequest) -> Bounds:
        """What a call may take at most: as the policy knows it, else as its calls tell."""
        prompt, answer = self._bound(request)
        if prompt is None:
            prompt = self._gauge.bound(request.messages)
        if answer is None:
            answer = request.sampling.max_tokens
        bounds = Bounds(prompt, answer)
        if bounds.at_hand or not self._limited:
            return bounds
        return replace(bounds, price=await self._priced())

    async def answer(self, request: PolicyRequest, most_s: float) -> Completion:
        """One try of so many seconds at most.

        Raises:
            PolicyError: as the policy says, or the time was over.
            PluginError: the policy broke its promise.
        """
        try:
            async with answering(self.named, "act", most_s, _Unanswered):
                completion = await awaited(self.named, "act", self.policy.act(request))
        except _Unanswered as error:
            text = f"{self.named} gave no answer within {most_s:g} s."
            raise CutOff(text, retryable=True) from error
        return recordable(self.named, completion)

    async def may_be_billed(self) -> bool:
        """Whether a call that was cut off may have cost something: not where the price is 0."""
        try:
            async with asyncio.timeout(1):
                price = await price_of(self.named, self.policy)
        except (TimeoutError, Late):
            return True
        return price is None or any(price.model_dump().values())

    async def close(self) -> None:
        """Close the policy; raises PluginError where that fails or never ends."""
        async with answering(self.named, "close", limit_s()):
            await awaited(self.named, "close", self.policy.close())

    @asynccontextmanager
    async def turn(self, tries: Tries, bounds: Bounds) -> AsyncIterator[Turn | None]:
        """Wait until the account lets a call begin; None where nobody is asked, at a first try."""
        if bounds.at_hand and tries.error is None:
            tries.begun = time.monotonic()
            yield None
            return
        async with self.account.turn(tries, self._likely(bounds)) as turn:
            yield turn

    def judged(
        self, request: PolicyRequest, answer: Completion | MlxError, tries: Tries, turn: Turn | None
    ) -> Completion | ContextTooLong | None:
        """What a try came to, once budget, account and estimates know of it; None: try again.

        Raises:
            MlxError: no other try can help, or none may be waited for.
        """
        if isinstance(answer, PolicyError) and answer.retryable:
            if turn is not None:
                turn.used(None if isinstance(answer, CutOff) else 0)
            self.account.failed(tries, answer)
            return None
        if not isinstance(answer, Completion | ContextTooLong):
            raise answer
        if turn is None:
            return answer
        if isinstance(answer, Completion):
            self._measure(request, answer, turn)
        else:
            turn.used(0)
        self.account.answered(tries)
        return answer

    def _likely(self, bounds: Bounds) -> int:
        """Tokens to count against a minute's: the bound, or well above the longest answer yet."""
        limits = (bounds.answer, None if self._longest is None else ROOMY * self._longest)
        return bounds.prompt + min((n for n in limits if n is not None), default=0)

    def _measure(self, request: PolicyRequest, completion: Completion, turn: Turn) -> None:
        used = completion.usage
        self._gauge.learn(request.messages, used)
        if used.prompt_tokens is not None and used.completion_tokens is not None:
            self._longest = max(self._longest or 0, used.completion_tokens)
            turn.used(used.prompt_tokens + used.completion_tokens)

    def _bound(self, request: PolicyRequest) -> tuple[int | None, int | None]:
        """The policy's own word; one that fails says nothing."""
        try:
            return bound_of(self.named, self.policy, request)
        except Late:
            raise
        except MlxError as error:
            self._noted(owned(self.named, "bound", error))
            return None, None

    async def _priced(self) -> Price | None:
        """The price, looked up once, so the dearest: it is kept for all hours and prompts."""
        if self._price is None:
            self._price = asyncio.ensure_future(dearest_of(self.named, self.policy, self._noted))
        return await asyncio.shield(self._price)
