"""Policies that break what every policy promises, and what one that asks a server does."""

from __future__ import annotations

import asyncio
import os
import socket
from contextlib import suppress
from datetime import UTC, datetime
from itertools import count
from typing import Any, ClassVar
from urllib.parse import urlsplit

from mlxlab.core.errors import PolicyError, UsageError
from mlxlab.core.policy import PolicyRequest, Price, Sampling
from mlxlab.core.records import Completion, Message, Usage
from mlxlab.plugins.policies.openai import OpenAI, OpenAIConfig
from tests.testing.mutants.policy.base import (
    Policies,
    answering,
    asking,
    having,
    posting,
    refusing,
    saying,
)


def last(request: PolicyRequest) -> str:
    """What is to be answered."""
    return request.messages[-1].content


def as_one_message(request: PolicyRequest) -> PolicyRequest:
    """A conversation as one text of the user's."""
    text = "\n".join(message.content for message in request.messages)
    return request.model_copy(update={"messages": (Message(role="user", content=text),)})


def said_aloud(request: PolicyRequest) -> PolicyRequest:
    """As it was, once it has been printed."""
    print(last(request))
    return request


def first_alone(request: PolicyRequest) -> PolicyRequest:
    """A conversation without what came after its beginning."""
    return request.model_copy(update={"messages": request.messages[:1]})


def encoded(request: PolicyRequest) -> PolicyRequest:
    """As it was, if it can be encoded."""
    last(request).encode()
    return request


def with_a_number() -> type[OpenAI]:
    """Answers in other words each time."""
    numbers = count()
    return answering(lambda done: done.model_copy(update={"text": f"{done.text} {next(numbers)}"}))


class Misnamed:
    """Has another word for it."""

    def __init__(self, config: OpenAIConfig) -> None:
        self.config = config

    async def answer(self, request: PolicyRequest) -> Completion:
        return Completion(text="Hello.", model=self.config.model)

    async def close(self) -> None:
        """Hold nothing."""


class Late(OpenAI):
    """Answers with what the call before it was answered with."""

    before = "nothing yet"

    async def act(self, request: PolicyRequest) -> Completion:
        done = await super().act(request)
        text, self.before = self.before, done.text
        return done.model_copy(update={"text": text})


class Twice(OpenAI):
    """Asks twice, to be sure."""

    async def act(self, request: PolicyRequest) -> Completion:
        await super().act(request)
        return await super().act(request)


class Locked(OpenAI):
    """One call after the other; a cancelled one keeps the lock."""

    def __init__(self, config: OpenAIConfig) -> None:
        super().__init__(config)
        self._lock = asyncio.Lock()

    async def act(self, request: PolicyRequest) -> Completion:
        await self._lock.acquire()
        done = await super().act(request)
        self._lock.release()
        return done


class Stubborn(OpenAI):
    """Brings every call to its end, whoever cancels it."""

    async def act(self, request: PolicyRequest) -> Completion:
        call = asyncio.create_task(super().act(request))
        while not call.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait({call})
        return await call


class OnceClosed(OpenAI):
    """Has an error of its own for what comes to a closed one."""

    closed = False

    async def close(self) -> None:
        if self.closed:
            raise RuntimeError("closed already")
        self.closed = True
        await super().close()


class Slammed(OpenAI):
    """Fails with calls in flight when it is closed."""

    closed = False

    async def act(self, request: PolicyRequest) -> Completion:
        self.closed = False
        try:
            return await super().act(request)
        finally:
            if self.closed:
                raise RuntimeError("Session is closed")

    async def close(self) -> None:
        self.closed = True
        await super().close()


class OfOneLoop(OpenAI):
    """Is bound to the event loop that it was first used in."""

    loop: asyncio.AbstractEventLoop | None = None

    async def act(self, request: PolicyRequest) -> Completion:
        self.loop = self.loop or asyncio.get_running_loop()
        if self.loop is not asyncio.get_running_loop():
            raise RuntimeError("attached to a different loop")
        return await super().act(request)


class Sharing(OpenAI):
    """All of them are one, and closed as one."""

    open: ClassVar[bool] = False

    def __init__(self, config: OpenAIConfig) -> None:
        super().__init__(config)
        type(self).open = True

    async def act(self, request: PolicyRequest) -> Completion:
        if not self.open:
            raise PolicyError("The session is closed.")
        return await super().act(request)

    async def close(self) -> None:
        type(self).open = False
        await super().close()


class Eager(OpenAI):
    """Looks whether the server is there when it is made."""

    def __init__(self, config: OpenAIConfig) -> None:
        super().__init__(config)
        at = urlsplit(config.base_url or "")
        socket.create_connection((at.hostname, at.port)).close()


class Restless(OpenAI):
    """Is recorded as another each time."""

    def __init__(self, config: OpenAIConfig) -> None:
        super().__init__(config)
        self.details = {**self.details, "made": datetime.now(UTC).isoformat()}


def keyless(config: OpenAIConfig) -> OpenAI:
    """Does without the key until the first call."""
    try:
        return OpenAI(config)
    except UsageError:
        os.environ[str(config.key_env)] = "none"
        return OpenAI(config)


class AtHand(saying(cost_usd=0.01)):  # type: ignore[misc]
    """Says that nobody is asked, and has a bill."""

    def bound(self, request: PolicyRequest) -> tuple[int, int]:
        return 0, 0


class Overcharging(saying(cost_usd=500.0)):  # type: ignore[misc]
    """Costs more than its price."""

    async def price(self) -> Price:
        return Price(prompt_usd=1e-9, completion_usd=1e-9)

    dearest = price


async def a_price_in_words(self: OpenAI) -> Any:
    return "a dollar"


POLICY: dict[str, Policies] = {
    "it_is_a_policy": Misnamed,
    "an_answer": saying(model=""),
    "prints_nothing": asking(said_aloud),
    "a_conversation": asking(first_alone),
    "many_at_once": Late,
    "the_same_request_again": with_a_number(),
    "a_form": saying(fields={"plan": "Whatever."}),
    "thinking_is_apart": answering(
        lambda done: done.model_copy(update={"text": f"<think>Hm.</think> {done.text}"})
    ),
    "odd_contents": refusing(lambda asked: "\x00" in last(asked)),
    "half_characters": asking(encoded),
    "empty_contents": refusing(lambda asked: not last(asked), IndexError("no first character")),
    "unusual_orders": refusing(lambda asked: asked.messages[0].role == "system"),
    "a_long_message": refusing(lambda asked: len(last(asked)) > 100_000, PolicyError("Too much.")),
    "every_role_of_a_call": refusing(lambda asked: asked.role == "summary", KeyError("summary")),
    "tokens_are_counted_or_unknown": saying(usage=Usage(prompt_tokens=-1)),
    "a_cost_is_known_or_none": saying(cost_usd=0.0),
    "what_is_at_hand_costs_nothing": AtHand,
    "a_cost_fits_its_price": Overcharging,
    "token_ids_fit_together": saying(token_ids=(1, 2), prompt_token_ids=(3,), logprobs=(-0.5,)),
    "the_time_it_took": saying(latency_s=3600.0),
    "notes_are_lines": saying(notes=("Left out:\ntop_p",)),
    "it_can_be_recorded": saying(temperature=float("nan")),
    "max_tokens": asking(lambda asked: asked.model_copy(update={"sampling": Sampling()})),
    "the_budgets_limit": asking(lambda asked: asked.model_copy(update={"token_limit": None})),
    "settings_of_sampling": saying(temperature=0.1),
    "what_a_call_takes_at_most": having(bound=lambda self, request: (1, 1)),
    "closing_twice": OnceClosed,
    "closing_with_calls_in_flight": Slammed,
    "cancelled_calls": Locked,
    "one_event_loop_after_the_other": OfOneLoop,
    "two_do_not_meet": Sharing,
    "making_it_calls_nobody": Eager,
    "what_is_known_has_its_form": having(price=a_price_in_words),
    "a_missing_key": keyless,
    "the_record_makes_it_again": Restless,
}
SERVED: dict[str, Policies] = {
    "a_call_is_one_request": Twice,
    "the_key_is_sent": posting(lambda body, _: (body, {"Content-Type": "application/json"})),
    "the_conversation_is_sent": asking(as_one_message),
    "cancelled_in_silence": Stubborn,
}
