"""One policy for a class of tests, driven from synchronous code."""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, NamedTuple, TypeVar

from mlxlab.core.errors import PolicyError
from mlxlab.core.policy import Bounded, Policy, PolicyRequest, Price, Priced
from mlxlab.core.records import Completion
from mlxlab.core.stated import bound_problem
from mlxlab.testing.kit import Conformance
from mlxlab.testing.kit.running import told
from mlxlab.testing.policies.requests import asked_by, neutral_request

T = TypeVar("T")


AT_HAND = (0, 0)
"""The bound of an answer that is there before anybody asks, and tells what it took once."""


class Answer(NamedTuple):
    """One request with what came of it, and with what was said of it before."""

    request: PolicyRequest
    completion: Completion
    waited_s: float
    bound: tuple[int | None, int | None]


class Harness(Conformance, ABC):
    """Makes one policy for a class, and others where a test wants one of its own.

    What a subclass says of its policy with the attributes is tried too.
    """

    prefix = "policy"
    basics = ("it_is_a_policy", "an_answer")

    echoes: ClassVar[bool] = False
    """Its answer repeats the last message, as far as its limits allow."""
    seeded: ClassVar[bool] = False
    """The same request has the same answer."""
    timed: ClassVar[bool] = False
    """It measures how long each answer took."""
    at_once: ClassVar[int] = 16
    """Calls in flight together."""
    most_chars: ClassVar[int] = 200_000
    """Length of the longest message that it is tried on."""
    call_s: ClassVar[float] = 120.0
    """What a call may take at most, in seconds."""
    key_variable: ClassVar[str | None] = None
    """The environment variable without which `make` fails."""
    free: ClassVar[tuple[str, ...]] = ()
    """Models that cost nothing, by `Completion.model`, where it asks others that cost money."""
    scaffold: ClassVar[str] = ""
    """The spec of the scaffold that asks, for a policy that makes it anew; else nobody's."""
    declarable = (
        *("echoes", "seeded", "timed", "at_once", "most_chars", "call_s", "key_variable"),
        *("free", "scaffold", "fields"),
    )

    policy: ClassVar[Policy]
    _runner: ClassVar[asyncio.Runner]

    @classmethod
    @abstractmethod
    def make(cls) -> Policy:
        """A new policy."""

    @classmethod
    def spec(cls) -> str | None:
        """How the policy is written on the command line, where it is registered."""
        return None

    @classmethod
    def request(cls, *contents: str, **fields: Any) -> PolicyRequest:
        """A request of user messages that the policy has an answer to."""
        return neutral_request(*contents, **{**cls.fields(), **fields})

    @classmethod
    def fields(cls) -> dict[str, Any]:
        """What its requests have otherwise than neutral ones: a decision, a task."""
        return asked_by(cls.scaffold) if cls.scaffold else {}

    @classmethod
    def setup_class(cls) -> None:
        """Make the policy of this class."""
        cls._runner = asyncio.Runner()
        try:
            cls.policy = cls.make()
        except BaseException:
            cls._runner.close()
            raise

    @classmethod
    def teardown_class(cls) -> None:
        """Close it."""
        try:
            cls.close(cls.policy)
        finally:
            cls._runner.close()

    @classmethod
    def wait(cls, doing: Coroutine[Any, Any, T]) -> T:
        """Wait for something that a policy does; all of it happens in one event loop."""
        return cls._runner.run(in_time(doing, cls.call_s))

    @classmethod
    def close(cls, policy: Policy) -> None:
        """Close a policy, which must not fail."""
        try:
            cls.wait(policy.close())
        except AssertionError:
            raise
        except Exception as error:
            raise AssertionError(f"close() raised {told(error)}") from error

    @classmethod
    async def act(cls, request: PolicyRequest, policy: Policy | None = None) -> Completion:
        """One call; it comes to a Completion or a PolicyError."""
        completion: object = await acted(policy or cls.policy, request)
        kind = type(completion).__name__
        assert isinstance(completion, Completion), f"act returned {kind}, no Completion"
        return completion

    @classmethod
    async def timed_act(cls, request: PolicyRequest) -> Answer:
        """One call, and how long it was waited for."""
        bound = cls.bound(request)
        started = time.perf_counter()
        done = await cls.act(request)
        return Answer(request, done, time.perf_counter() - started, bound)

    @classmethod
    def bound(
        cls, request: PolicyRequest, policy: Policy | None = None
    ) -> tuple[int | None, int | None]:
        """What a policy says that a call takes at most; unknown where it says nothing."""
        asked = policy or cls.policy
        if not isinstance(asked, Bounded):
            return None, None
        found = asked.bound(request)
        problem = bound_problem(found)
        assert not problem, f"bound {problem}"
        return found

    @classmethod
    def price_of(cls, policy: object) -> Price | None:
        """What a policy says that it costs; unknown where it says nothing."""
        if not isinstance(policy, Priced):
            return None
        found: object = cls.wait(policy.price())
        price = found if isinstance(found, Price) else None
        assert found is price, f"price returned {type(found).__name__}, no Price and no None"
        return price

    @classmethod
    def ask(cls, *contents: str, policy: Policy | None = None, **fields: Any) -> Completion:
        """One call with user messages, waited for."""
        return cls.wait(cls.act(cls.request(*contents, **fields), policy))

    @classmethod
    def assert_usable(cls, policy: Policy | None = None) -> None:
        """It still answers."""
        assert said(cls.ask("Are you still there?", policy=policy)), "it has no answer any more"


async def acted(policy: Policy, request: PolicyRequest) -> Completion:
    """One call; what it raises that is no PolicyError is a failed check."""
    try:
        return await policy.act(request)
    except PolicyError:
        raise
    except Exception as error:
        raise AssertionError(f"act() raised {told(error)}, where a PolicyError belongs") from error


async def in_time(doing: Coroutine[Any, Any, T], limit_s: float) -> T:
    """Wait for something; not to be over after so many seconds is a failed check."""
    try:
        async with asyncio.timeout(limit_s) as limit:
            return await doing
    except TimeoutError as error:
        if limit.expired():
            raise AssertionError(f"it was not over after {limit_s:g} seconds") from error
        raise


def said(completion: Completion) -> bool:
    """Whether there is an answer of some kind."""
    words = completion.text.strip() or (completion.reasoning or "").strip()
    return bool(words or completion.action or completion.fields or completion.tool_calls)


def one_line(error: PolicyError) -> None:
    """Assert that an error is one that people can be shown."""
    for text in (error.message, error.hint):
        assert "\n" not in text and len(text) < 2000, f"not for a line: {text[:2000]!r}"
    assert error.message.strip(), "an error without a message"
    assert "Traceback" not in error.message, error.message


@contextmanager
def raises(kind: type[BaseException], naming: str = "") -> Iterator[None]:
    """Expect an error whose message holds a text."""
    try:
        yield
    except kind as error:
        assert naming in str(error), f"'{naming}' is not in: {error}"
    except Exception as error:
        raise AssertionError(f"expected {kind.__name__}, and {error!r} came") from error
    else:
        raise AssertionError(f"expected {kind.__name__}")
