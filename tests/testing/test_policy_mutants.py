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
from mlxlab.core.policy import Policy
from mlxlab.core.registry import Registry
from mlxlab.testing.kit import Conformance, checks_of
from mlxlab.testing.policies import (
    KEY_VARIABLE,
    FaultConformance,
    PolicyConformance,
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
