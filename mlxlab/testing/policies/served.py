"""The suite for a policy that asks a server: against one that repeats the question."""

from __future__ import annotations

import asyncio
import os
from abc import abstractmethod
from typing import Any, ClassVar

from mlxlab.core.policy import Policy
from mlxlab.core.records import Message
from mlxlab.testing.loopback import Loopback, Reply, Seen, echo
from mlxlab.testing.policies.conformance import PolicyConformance
from mlxlab.testing.policies.conformance.harness import acted
from mlxlab.testing.policies.faults.harness import KEY_VARIABLE, SECRET


class ServedConformance(PolicyConformance):
    """PolicyConformance with a model on this machine that speaks /chat/completions.

    The answer repeats the last message, so that it is known whose answer it is; `max_tokens` is
    kept, a word counts as a token. What arrives at the server is looked at as well. A subclass says
    with `reach` how the policy reaches an address, and may override what PolicyConformance names.
    """

    echoes = True
    seeded = True
    timed = True
    key_variable = KEY_VARIABLE

    over_s: ClassVar[float] = 5.0
    """What a cancelled call, or `close` with one in flight, may take, in seconds."""

    server: ClassVar[Loopback]

    @classmethod
    @abstractmethod
    def reach(cls, url: str, timeout_s: float) -> Policy:
        """A policy that asks `url`/chat/completions with the key of KEY_VARIABLE."""

    @classmethod
    def make(cls) -> Policy:
        """One that asks the server of this class."""
        return cls.reach(cls.address(), cls.call_s)

    @classmethod
    def address(cls) -> str:
        """The base URL of the server of this class."""
        return f"{cls.server.url}/v1"

    @classmethod
    def setup_class(cls) -> None:
        """Start the server."""
        os.environ[KEY_VARIABLE] = SECRET
        cls.server = Loopback(echo)
        cls.server.__enter__()
        try:
            super().setup_class()
        except BaseException:
            cls._stop()
            raise

    @classmethod
    def teardown_class(cls) -> None:
        """Stop it."""
        try:
            super().teardown_class()
        finally:
            cls._stop()

    def test_a_call_is_one_request(self) -> None:
        """A call asks the server once: to try again is the Runner's, who counts it."""
        seen = self.seen("Once, please.")
        assert len(seen) == 1, f"one call made {len(seen)} requests"

    def test_the_key_is_sent(self) -> None:
        """The request bears the key that the environment variable holds."""
        (seen,) = self.seen("Who am I?")
        assert SECRET in seen.headers.get("authorization", ""), "no key in Authorization"

    def test_the_conversation_is_sent(self) -> None:
        """The server gets every message with its role, in order, and nothing is left out."""
        turns = (("system", "Be brief."), ("user", "One?"), ("assistant", "1"), ("user", "Two?"))
        messages = tuple(Message(role=role, content=text) for role, text in turns)
        (seen,) = self.seen(messages=messages)
        sent = seen.json["messages"]
        assert [each["role"] for each in sent] == [role for role, _ in turns], sent
        for each, (_, text) in zip(sent, turns, strict=True):
            assert text in str(each["content"]), sent

    def test_cancelled_in_silence(self) -> None:
        """A call that a silent server keeps waiting is over as soon as it is cancelled."""

        async def cancelled(url: str) -> None:
            policy = self.reach(f"{url}/v1", self.call_s)
            call = asyncio.create_task(acted(policy, self.request("Hello?")))
            end = asyncio.gather(call, return_exceptions=True)
            await asyncio.sleep(0.2)
            try:
                assert not end.done(), f"answered, though nobody said anything: {end.result()}"
                call.cancel()
                await asyncio.wait({end}, timeout=self.over_s)
                assert end.done(), f"not over {self.over_s:g} s after it was cancelled"
                assert call.cancelled(), f"cancelled, and came to {end.result()}"
            finally:
                await policy.close()

        with Loopback([Reply(hang_s=60)]) as silent:
            self.wait(cancelled(silent.url))

    def seen(self, *contents: str, **fields: Any) -> list[Seen]:
        """What one call sends to the server."""
        before = len(self.server.requests)
        self.ask(*contents, **fields)
        return self.server.requests[before:]

    @classmethod
    def _stop(cls) -> None:
        cls.server.__exit__()
        os.environ.pop(KEY_VARIABLE, None)
