"""The promises of every policy, and this one's own."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from mlxlab.core.errors import CutOff, PolicyError, UnknownComponent
from mlxlab.core.policy import (
    Features,
    Metered,
    Policy,
    PolicyRequest,
    Price,
    Rates,
    Sampling,
)
from mlxlab.core.records import Completion, ComponentRef, Role, Usage
from mlxlab.core.registry import Component
from mlxlab.testing import PolicyConformance, ScriptedPolicy
from mlxlab.testing.policies.requests import neutral_request

from mlx_thrifty import policy as module
from mlx_thrifty.policy import POOR, ThriftyConfig, ThriftyPolicy

TOKENS = 10
"""Tokens of each prompt below, and of each answer."""


class Paid:
    """A policy with everything that a policy may state: a tenth of a dollar a token."""

    account = "provider-1"
    rates = Rates(concurrent=4, requests_per_minute=100)
    tells_cost = True

    def __init__(self, name: str) -> None:
        self.name = name
        self.closed = 0
        self.error: Exception | None = None
        self.gate: asyncio.Event | None = None

    async def act(self, request: PolicyRequest) -> Completion:
        if self.gate is not None:
            await self.gate.wait()
        if self.error is not None:
            raise self.error
        limits = (request.sampling.max_tokens, request.token_limit, TOKENS)
        tokens = min(limit for limit in limits if limit is not None)
        return Completion(
            text=f"{self.name} answers",
            model=self.name,
            usage=Usage(prompt_tokens=TOKENS, completion_tokens=tokens),
            cost_usd=(TOKENS + tokens) * 0.1 if self.tells_cost else None,
        )

    def bound(self, request: PolicyRequest) -> tuple[int, int]:
        return TOKENS, min(TOKENS, request.sampling.max_tokens or TOKENS)

    async def price(self) -> Price:
        return Price(prompt_usd=0.1, completion_usd=0.1)

    async def features(self) -> Features:
        return Features(context_tokens=1000, thinking=True, tools=False)

    async def close(self) -> None:
        self.closed += 1


class Free(ScriptedPolicy):
    """A policy that states nothing but that it is free."""

    def __init__(self) -> None:
        super().__init__(lambda request: "cheap answers")
        self.closed = 0

    async def price(self) -> Price:
        return Price()

    def bound(self, request: PolicyRequest) -> tuple[int, int]:
        return 0, 0

    async def close(self) -> None:
        self.closed += 1


def thrifty(
    monkeypatch: pytest.MonkeyPatch, cheap: Policy, strong: Policy, **options: Any
) -> ThriftyPolicy:
    """The policy, with these two in the place of what the registry makes."""
    parts: Mapping[str, Policy] = {"cheap": cheap, "strong": strong}

    def made(spec: str) -> Component[Any]:
        return Component(parts[spec], ComponentRef(kind="policy", name=spec, spec=spec))

    monkeypatch.setattr(module, "made", made)
    return ThriftyPolicy(ThriftyConfig(cheap="cheap", strong="strong", **options))


def asked(operator: str = "improve", role: Role = "policy", **fields: Any) -> PolicyRequest:
    """A request of a scaffold at a step of some kind."""
    request = neutral_request("Go on.", role=role, **fields)
    decision = request.decision.model_copy(update={"operator": operator})
    return request.model_copy(update={"decision": decision})


def models(policy: ThriftyPolicy, *requests: PolicyRequest) -> list[str]:
    """Who answers these, one after the other."""

    async def all_of_them() -> list[str]:
        return [(await policy.act(request)).text.partition(" ")[0] for request in requests]

    return asyncio.run(all_of_them())


class TestThrifty(PolicyConformance):
    """Every check of mlxlab's kit, on this policy over two that need no key."""

    seeded = True

    @classmethod
    def make(cls) -> ThriftyPolicy:
        return ThriftyPolicy(ThriftyConfig(strong="catalog", easy=("summary",), calls=3))

    @classmethod
    def spec(cls) -> str:
        return "thrifty:catalog?cheap=random&usd=0.5"


class TestOfPaidOnes(PolicyConformance):
    """The same checks, where both cost money and state all that they can."""

    @classmethod
    def make(cls) -> ThriftyPolicy:
        with pytest.MonkeyPatch.context() as patch:
            return thrifty(patch, Paid("cheap"), Paid("strong"), usd=20.0, easy=("summary",))


class TestOfFreeAndPaid(PolicyConformance):
    """The same checks, where the cheap one costs nothing, and steps in for the strong one."""

    free = ("scripted",)

    @classmethod
    def make(cls) -> ThriftyPolicy:
        with pytest.MonkeyPatch.context() as patch:
            return thrifty(patch, Free(), Paid("strong"), usd=20.0, easy=("summary",))


def test_what_is_easy_goes_to_the_cheap_one(monkeypatch: pytest.MonkeyPatch) -> None:
    policy = thrifty(monkeypatch, Free(), Paid("strong"), usd=None)
    hard = (asked("improve"), asked("debug"), asked("improve", role="editor"))
    easy = (asked("draft"), asked(role="summary"), asked(role="repair"))
    assert models(policy, *hard, *easy) == ["strong"] * 3 + ["cheap"] * 3
    all_hard = thrifty(monkeypatch, Free(), Paid("strong"), usd=None, easy=())
    assert models(all_hard, *easy) == ["strong"] * 3


def test_the_strong_one_answers_while_the_money_lasts(monkeypatch: pytest.MonkeyPatch) -> None:
    policy = thrifty(monkeypatch, Free(), Paid("strong"), usd=5.5)
    assert policy.bound(asked()) == (TOKENS, TOKENS)
    assert models(policy, asked(), asked(), asked()) == ["strong", "strong", "cheap"]
    assert asyncio.run(policy.act(asked())).notes == (POOR,)
    # What is left pays a shorter answer.
    assert models(policy, asked(sampling=Sampling(max_tokens=5))) == ["strong"]
    assert policy.bound(asked()) == (0, 0) and asyncio.run(policy.price()) == Price()


def test_calls_can_be_limited_too(monkeypatch: pytest.MonkeyPatch) -> None:
    policy = thrifty(monkeypatch, Free(), ScriptedPolicy(["strong 1", "strong 2"]), calls=1)
    assert models(policy, asked(), asked()) == ["strong", "cheap"]


def test_calls_side_by_side_keep_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    strong = Paid("strong")
    policy = thrifty(monkeypatch, Free(), strong, usd=5.0)

    async def together() -> list[Completion]:
        strong.gate = asyncio.Event()
        calls = [asyncio.create_task(policy.act(asked())) for _ in range(6)]
        await asyncio.sleep(0.01)
        strong.gate.set()
        return await asyncio.gather(*calls)

    done = asyncio.run(together())
    assert sum(each.model == "strong" for each in done) == 2
    assert sum(each.notes == (POOR,) for each in done) == 4


def test_a_failed_call_gives_its_money_back(monkeypatch: pytest.MonkeyPatch) -> None:
    strong = Paid("strong")
    policy = thrifty(monkeypatch, Free(), strong, usd=2.0)
    strong.error = PolicyError("Busy.", retryable=True)
    for _ in range(3):
        with pytest.raises(PolicyError, match="Busy"):
            models(policy, asked())
    strong.error = CutOff("Gone.", retryable=True)
    with pytest.raises(CutOff):
        models(policy, asked())
    strong.error = None
    assert models(policy, asked()) == ["cheap"]  # what was cut off may have been billed


def test_a_call_of_unknown_cost_is_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    strong = Paid("strong")
    strong.tells_cost = False
    policy = thrifty(monkeypatch, Free(), strong, usd=100.0)
    assert models(policy, asked(), asked()) == ["strong", "cheap"]
    unlimited = thrifty(monkeypatch, Free(), strong, usd=None)
    assert models(unlimited, asked(), asked()) == ["strong", "strong"]


def test_what_both_say_is_put_together(monkeypatch: pytest.MonkeyPatch) -> None:
    other = Paid("other")
    other.account, other.rates = "provider-2", Rates(concurrent=2, tokens_per_minute=50)
    policy = thrifty(monkeypatch, other, Paid("strong"))
    assert isinstance(policy, Metered) and policy.account == "provider-2 and provider-1"
    assert policy.rates == Rates(concurrent=2, requests_per_minute=100, tokens_per_minute=50)
    assert asyncio.run(policy.features()) == Features(
        context_tokens=1000, thinking=True, tools=False
    )
    mixed = thrifty(monkeypatch, Free(), Paid("strong"))
    assert isinstance(mixed, Metered) and mixed.account == "provider-1"
    assert asyncio.run(mixed.dearest()) == Price(
        prompt_usd=0.1, completion_usd=0.1, cached_prompt_usd=0.1
    )
    assert asyncio.run(mixed.features()) == Features()
    unknown = thrifty(monkeypatch, Free(), ScriptedPolicy([]))
    assert not isinstance(unknown, Metered) and unknown.bound(asked()) == (None, None)
    assert asyncio.run(unknown.price()) is None and asyncio.run(unknown.dearest()) is None


def test_both_are_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    class Stuck(Free):
        async def close(self) -> None:
            await super().close()
            raise PolicyError("It does not close.")

    cheap, strong = Stuck(), Paid("strong")
    with pytest.raises(PolicyError, match="does not close"):
        asyncio.run(thrifty(monkeypatch, cheap, strong).close())
    assert (cheap.closed, strong.closed) == (1, 1)


def test_a_part_has_to_be_known() -> None:
    with pytest.raises(UnknownComponent, match="catalgo"):
        ThriftyPolicy(ThriftyConfig(strong="catalog", cheap="catalgo"))
