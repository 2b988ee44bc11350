"""Every check of policies is seen to fail, on a policy that breaks its promise."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from mlxlab.core.entries import COMPONENTS, Entry
from mlxlab.core.errors import MlxError
from mlxlab.core.policy import Policy, PolicyRequest, Price
from mlxlab.core.records import Completion, Usage
from mlxlab.core.registry import Registry
from mlxlab.testing.kit import Conformance, checks_of, run_checks
from mlxlab.testing.policies import (
    KEY_VARIABLE,
    FaultConformance,
    PolicyConformance,
    ScriptedPolicy,
    ServedConformance,
)
from tests.testing.mutants.policy import FAULTS, POLICY, SERVED, Policies
from tests.testing.mutants.policy.whole import asked

Suite = type[ServedConformance] | type[FaultConformance]
CHECKS = {
    check.id: check for suite in (ServedConformance, FaultConformance) for check in checks_of(suite)
}
TABLES: dict[str, tuple[Suite, dict[str, Policies]]] = {
    "policy": (ServedConformance, POLICY),
    "policy, of a server": (ServedConformance, SERVED),
    "policy.fault": (FaultConformance, FAULTS),
}
MUTANTS = {
    f"{suite.prefix}.{name}": (suite, make)
    for suite, table in TABLES.values()
    for name, make in table.items()
}
caught: set[str] = set()


def ids(suite: type[Conformance]) -> set[str]:
    return {check.id for check in checks_of(suite)}


def spoiled(suite: Suite, mutant: Policies) -> Suite:
    """The suite on a mutant, with less patience than usual."""

    class Spoiled(suite):  # type: ignore[misc, valid-type]
        call_s = 3.0
        over_s = 0.5
        short_s = 0.4
        slack_s = 2.0

        @classmethod
        def reach(cls, url: str, timeout_s: float) -> Policy:
            return mutant(asked(url, timeout_s))

        @classmethod
        def spec(cls) -> str:
            return f"mutant:m?base_url={cls.address()}&key_env={KEY_VARIABLE}"

    return Spoiled


def advertising(mutant: Policies) -> Registry:
    """What finds a mutant by its name."""
    where = f"{mutant.__module__}:{mutant.__qualname__}"
    point = EntryPoint("policy.mutant", where, COMPONENTS)
    return Registry([Entry("policy", "mutant", where, "mlxlab", "1", point)])


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_is_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    suite, mutant = MUTANTS[name]
    monkeypatch.setattr(Registry, "installed", lambda: advertising(mutant))
    checked = spoiled(suite, mutant)
    checked.setup_class()
    try:
        with pytest.raises((AssertionError, MlxError)) as error:
            getattr(checked(), CHECKS[name].method)()
    finally:
        checked.teardown_class()
    print(name, type(error.value).__name__, str(error.value)[:300])
    caught.add(name)


class Free(ScriptedPolicy):
    """Is free, and has the answer at hand."""

    def __init__(self, **said: object) -> None:
        super().__init__(lambda request: "Hello.")
        self._said = said

    async def act(self, request: PolicyRequest) -> Completion:
        return (await super().act(request)).model_copy(update=self._said)

    async def price(self) -> Price:
        return Price()

    def bound(self, request: PolicyRequest) -> tuple[int, int]:
        return 0, 0


@pytest.mark.parametrize(
    ("said", "check"),
    [
        ({"latency_s": 3600.0}, "policy.the_time_it_took"),
        ({"cost_usd": 0.5, "usage": Usage()}, "policy.a_cost_fits_its_price"),
    ],
)
def test_a_free_policy_is_not_believed_either(said: dict[str, object], check: str) -> None:
    class OfFree(PolicyConformance):
        @classmethod
        def make(cls) -> Policy:
            return Free(**said)

    without = {each.id for each in checks_of(OfFree)} - {check}
    (result,) = run_checks(OfFree, without=without)
    assert result.outcome == "FAILED", result


@pytest.mark.parametrize("free", [(), ("scripted",)])
def test_a_model_that_costs_nothing_is_named(free: tuple[str, ...]) -> None:
    """One that answers for nothing beside others that have a price."""

    class Priced(ScriptedPolicy):
        async def price(self) -> Price:
            return Price(prompt_usd=0.1, completion_usd=0.1)

    class Mixed(PolicyConformance):
        @classmethod
        def make(cls) -> Policy:
            return Priced(lambda request: "Hello.")

    Mixed.free = free
    check = "policy.a_cost_is_known_or_none"
    (result,) = run_checks(Mixed, without={each.id for each in checks_of(Mixed)} - {check})
    assert result.outcome == ("ok" if free else "FAILED"), result


def test_every_check_has_its_mutant(record_property: Callable[[str, object], None]) -> None:
    assert set(MUTANTS) == set(CHECKS)
    assert {f"policy.{name}" for name in POLICY} == ids(PolicyConformance)
    for what, (suite, table) in TABLES.items():
        found = caught & {f"{suite.prefix}.{name}" for name in table}
        told = f"{what}: {len(table)} checks, {len(found)} mutants caught"
        record_property("conformance", told)


def test_without_pytest_what_keeps_its_promises_passes() -> None:
    command = [sys.executable, "-m", "tests.testing.mutants.policy.whole"]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    results = json.loads(done.stdout)
    for suite in (ServedConformance, FaultConformance, PolicyConformance):
        assert ids(suite) in [{result[0] for result in found} for found in results.values()]
    outcomes = {each[0]: each for found in results.values() for each in found if each[1] != "ok"}
    assert not outcomes


def test_a_promise_is_a_sentence_of_its_own() -> None:
    for check in CHECKS.values():
        assert check.promise.endswith("."), check
