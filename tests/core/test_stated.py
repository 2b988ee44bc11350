"""What components say of themselves, by people who have read no contract."""

from __future__ import annotations

import asyncio
from importlib.metadata import EntryPoint
from typing import Any

import pytest
from pydantic import ValidationError

from mlxlab.core.account import Account, Accounts
from mlxlab.core.components import _differences
from mlxlab.core.entries import Entry
from mlxlab.core.errors import PluginError
from mlxlab.core.patience import Patience
from mlxlab.core.policy import Policy, Price, Rates
from mlxlab.core.provider import Provider
from mlxlab.core.records import ComponentRef
from mlxlab.core.registry import Registry
from mlxlab.core.stated import price_of
from mlxlab.testing import ScriptedPolicy
from mlxlab.testing.policies import neutral_request


class Says:
    """A component whose attributes a test sets."""


class Fails:
    @property
    def details(self) -> dict[str, str]:
        raise ValueError("no details today")


def registry(kind: str, name: str) -> Registry:
    entry = EntryPoint(f"{kind}.x", f"tests.core.test_stated:{name}", "mlxlab.components")
    return Registry([Entry(kind, "x", f"tests.core.test_stated:{name}", "acme", "1.0", entry)])


def made(monkeypatch: pytest.MonkeyPatch, kind: str = "policy", **said: object) -> ComponentRef:
    for name, value in said.items():
        monkeypatch.setattr(Says, name, value, raising=False)
    return registry(kind, "Says").create(kind, "x").ref


def test_what_is_stated_is_the_same_after_it_was_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    said = {"stop": ("a", "b"), "by_length": {1: (2, 3)}, "odd": float("nan")}
    now = made(monkeypatch, resolved=said, details={"shape": (1, 2)})
    then = ComponentRef.model_validate_json(now.model_dump_json())
    assert then == now
    assert _differences(then, now) == []
    other = made(monkeypatch, resolved={**said, "stop": ("a",)})
    assert _differences(then, other) == ["stop is ['a'], was ['a', 'b']"]


@pytest.mark.parametrize("other", ["words", None, 3, lambda self: {}, [1]])
@pytest.mark.parametrize("kind", ["policy", "scaffold"])
def test_an_attribute_that_means_something_else_states_nothing(
    monkeypatch: pytest.MonkeyPatch, kind: str, other: object
) -> None:
    found = made(monkeypatch, kind, details=other, resolved=other)
    assert found.details == found.resolved == {}


def test_what_cannot_be_stated_names_the_plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PluginError, match=r"policy 'x' of acme 1\.0 says .* no details today"):
        registry("policy", "Fails").create("policy", "x")
    with pytest.raises(PluginError, match=r"policy 'x' of acme 1\.0 says .* cannot be recorded"):
        made(monkeypatch, details={"lock": object()})


class Odd(ScriptedPolicy):
    """A policy that states what a test gives it."""

    def __init__(self, bound: Any = (None, None), **said: Any) -> None:
        super().__init__([])
        self._bound = bound
        vars(self).update(said)

    def bound(self, request: object) -> Any:
        return self._bound

    async def price(self) -> Any:
        return self.stated

    stated: Any = None


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"account": "a", "rates": {"concurrent": 1}}, "Odd .* rates is dict, no Rates"),
        ({"account": None, "rates": Rates()}, "Odd .* account is NoneType, no text"),
        ({"account": ["a"], "rates": None}, "Odd .* account is list, no text"),
    ],
)
def test_an_account_of_another_type_names_the_policy(said: dict[str, Any], words: str) -> None:
    with pytest.raises(PluginError, match=words):
        Accounts(Patience()).of(Odd(**said))


@pytest.mark.parametrize("name", list(Rates.model_fields))
def test_a_rate_is_more_than_nothing(name: str) -> None:
    with pytest.raises(ValidationError, match="greater than 0"):
        Rates.model_validate({name: 0})


def bounds(policy: Policy) -> Any:
    ref = ComponentRef(kind="policy", name="x", spec="x")
    provider = Provider(policy, ref, Account(Patience()), limited=True)
    return asyncio.run(provider.bounds(neutral_request("Hello?")))


@pytest.mark.parametrize("odd", ["many", -1, 2.5, (), (1, 2, 3), ("a", "b"), ([], {}), (-3, -4)])
def test_a_bound_that_is_no_number_of_tokens_says_nothing(odd: object) -> None:
    found = bounds(Odd(odd))
    assert found.prompt > 0
    assert found.answer == 64, "what the request says"


@pytest.mark.parametrize("odd", ["cheap", 0, {"prompt_usd": 1.0}, (1, 2)])
def test_a_price_that_is_none_is_unknown(odd: object) -> None:
    assert bounds(Odd(stated=odd)).price is None
    assert asyncio.run(price_of("policy 'x' of acme 1.0", Odd(stated=odd))) is None


def test_control_what_is_stated_well_counts() -> None:
    price = Price(prompt_usd=1e-6, completion_usd=2e-6)
    found = bounds(Odd((12, 34), stated=price))
    assert (found.prompt, found.answer, found.price) == (12, 34, price)
