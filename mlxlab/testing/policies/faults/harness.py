"""A policy put before a server that misbehaves once, and then answers."""

from __future__ import annotations

import asyncio
import os
import time
from abc import ABC, abstractmethod
from typing import ClassVar

from mlxlab.core.errors import PolicyError
from mlxlab.core.policy import Policy
from mlxlab.core.records import Completion
from mlxlab.testing.kit import Conformance
from mlxlab.testing.loopback import Loopback, Reply, message
from mlxlab.testing.policies.conformance.harness import acted, in_time, one_line
from mlxlab.testing.policies.requests import neutral_request

KEY_VARIABLE = "CONFORMANCE_API_KEY"
SECRET = "sk-not-for-any-message"  # noqa: S105 - it opens nothing
GOOD = "Here I am again."


class Harness(Conformance, ABC):
    """Asks once of a server that misbehaves, and once more of the same one."""

    prefix = "policy.fault"

    short_s: ClassVar[float] = 1.0
    """The time limit of a call where waiting is what is tried."""
    usual_s: ClassVar[float] = 30.0
    """The time limit of the others, which have an answer at once."""
    slack_s: ClassVar[float] = 15.0
    """What a call may take beyond its limit."""

    _runner: ClassVar[asyncio.Runner]
    server: ClassVar[Loopback]

    @classmethod
    @abstractmethod
    def reach(cls, url: str, timeout_s: float) -> Policy:
        """A policy that asks `url`/chat/completions with the key of KEY_VARIABLE."""

    @classmethod
    def setup_class(cls) -> None:
        """Set the key, and import what a first call imports."""
        os.environ[KEY_VARIABLE] = SECRET
        cls._runner = asyncio.Runner()
        try:
            cls.meets(message(GOOD))
        except BaseException:
            cls.teardown_class()
            raise

    @classmethod
    def teardown_class(cls) -> None:
        """Forget the key."""
        os.environ.pop(KEY_VARIABLE, None)
        cls._runner.close()

    @classmethod
    def meets(cls, reply: Reply, timeout_s: float | None = None) -> Completion | PolicyError:
        """What a call comes to that is answered so; the next call must be answered well.

        Each of the two is sent once, and over when its time is.
        """
        limit_s = timeout_s or cls.usual_s
        with Loopback([reply, message(GOOD)]) as cls.server:
            came = cls._runner.run(cls._twice(cls.server.url, limit_s))
            sent = [seen.path for seen in cls.server.requests]
            assert len(sent) == 2, f"two calls sent {sent}"
        return came

    @classmethod
    async def _twice(cls, url: str, limit_s: float) -> Completion | PolicyError:
        policy = cls.reach(f"{url}/v1", limit_s)
        try:
            came = await cls.comes_to(policy, limit_s)
            # Shorter, since a prompt that was too long is remembered.
            again = await cls.comes_to(policy, limit_s, "And now?")
            good = isinstance(again, Completion) and again.text == GOOD
            assert good, f"the call after it came to {again}"
        finally:
            await policy.close()
        return came

    @classmethod
    async def comes_to(
        cls, policy: Policy, limit_s: float, text: str = "Is anybody there?"
    ) -> Completion | PolicyError:
        """An answer, or an error that people can be shown, in its time."""
        started = time.perf_counter()
        most_s = limit_s + cls.slack_s
        came: Completion | PolicyError
        try:
            came = await in_time(acted(policy, neutral_request(text)), most_s)
        except PolicyError as error:
            came = error
        took_s = time.perf_counter() - started  # who blocks the event loop cannot be stopped
        assert took_s < most_s, f"{took_s:.0f} seconds, with a limit of {limit_s:g}"
        if isinstance(came, PolicyError):
            one_line(came)
            assert SECRET not in str(came), f"the key is told: {came}"
        return came

    @classmethod
    def fails(cls, reply: Reply, what: str, timeout_s: float | None = None) -> PolicyError:
        """The error that a call comes to."""
        came = cls.meets(reply, timeout_s)
        assert isinstance(came, PolicyError), f"{what}: answered with {came}"
        return came

    @classmethod
    def retryable(cls, reply: Reply, what: str, timeout_s: float | None = None) -> PolicyError:
        """As `fails`, with an error that says that another try is worth it."""
        problem = cls.fails(reply, what, timeout_s)
        assert problem.retryable, f"{what}: no other try is made after: {problem}"
        return problem

    @classmethod
    def final(cls, reply: Reply, what: str) -> PolicyError:
        """As `fails`, with an error that says that no other try helps."""
        problem = cls.fails(reply, what)
        assert not problem.retryable, f"{what}: would be tried again: {problem}"
        return problem

    @classmethod
    def answers(cls, reply: Reply, what: str) -> Completion:
        """The answer that is read all the same."""
        came = cls.meets(reply)
        assert isinstance(came, Completion), f"{what}: {came}"
        return came
