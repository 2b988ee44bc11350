"""Every check of components is seen to fail, on a component that breaks its promise."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import EntryPoint

import pytest

from mlxlab.core.entries import COMPONENTS, Entry
from mlxlab.core.policy import Policy
from mlxlab.core.sandbox import Sandbox
from mlxlab.testing import ComponentConformance, run_checks
from mlxlab.testing.components import differences
from mlxlab.testing.kit import checks_of
from tests.testing.mutants.component import KINDS, MUTANTS

CHECKS = {check.id.partition(".")[2]: check for check in checks_of(ComponentConformance)}
caught: set[str] = set()


class Sound(ComponentConformance):
    __test__ = False
    kind = "reward"
    spec = "tried"
    where = "component:Good"

    @classmethod
    def entry(cls) -> Entry:
        target = f"tests.testing.mutants.{cls.where}"
        point = EntryPoint(f"{cls.kind}.tried", target, COMPONENTS)
        return Entry(cls.kind, "tried", target, "mutants", "1", point)


def test_what_mutants_are_made_of_conforms() -> None:
    assert [result for result in run_checks(Sound) if result.outcome != "ok"] == []


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_is_caught(name: str) -> None:
    where, told = MUTANTS[name]
    spoiled = type("Spoiled", (Sound,), {"where": where, "kind": KINDS.get(name, Sound.kind)})()
    with pytest.raises(AssertionError) as failure:
        getattr(spoiled, CHECKS[name].method)()
    assert told in str(failure.value)
    caught.add(name)


@pytest.mark.parametrize(
    ("name", "where"),
    [
        ("known_gaps_are_checks", "component:excused"),
        ("known_gaps_are_checks", "component:Privileged"),
        ("conformance_is_its_suites", "component:talkative"),
    ],
)
def test_what_is_declared_once_it_is_made_is_read(name: str, where: str) -> None:
    spoiled = type("Spoiled", (Sound,), {"where": where})()
    with pytest.raises(AssertionError) as failure:
        getattr(spoiled, CHECKS[name].method)()
    assert MUTANTS[name][1] in str(failure.value)


@pytest.mark.parametrize(
    ("where", "check", "told"),
    [
        ("Misspelt", "known_gaps_are_checks", "'knwon_gaps': did you mean 'known_gaps'?"),
        ("Chatty", "conformance_is_its_suites", "'confromance': did you mean 'conformance'?"),
        ("Boundless", "parts_are_there", "has to have: range (at"),
        (
            "Slipped",
            "known_gaps_are_checks",
            "_raed_back: did you mean 'reward.is_read_back'? (at ",
        ),
        ("Slipped", "conformance_is_its_suites", "knows cases; did you mean 'cases'? (at tests/"),
        ("Lettered", "argument_is_an_option", "is no option: did you mean 'value'? (at tests/"),
    ],
)
def test_what_may_be_misspelt_is_told(where: str, check: str, told: str) -> None:
    spoiled = type("Spoiled", (Sound,), {"where": f"component:{where}"})()
    with pytest.raises(AssertionError) as failure:
        getattr(spoiled, CHECKS[check].method)()
    assert told in str(failure.value)


def test_an_optional_part_may_be_misspelt() -> None:
    spoiled = type("Spoiled", (Sound,), {"where": "component:Bounds", "kind": "policy"})()
    with pytest.raises(AssertionError) as failure:
        spoiled.test_optional_parts_are_whole()
    told, _, place = str(failure.value).partition(" (at ")
    assert told == "it has 'bounds': did you mean 'bound'?"
    assert place.startswith("tests/testing/mutants/component.py:")


def test_an_innocent_name_is_no_misspelt_one() -> None:
    sound = type("Spoiled", (Sound,), {"where": "component:Mapped"})()
    sound.test_known_gaps_are_checks()
    sound.test_conformance_is_its_suites()


def test_a_parameter_that_no_option_sets_is_found() -> None:
    spoiled = type("Spoiled", (Sound,), {"where": "component:Plain"})()
    with pytest.raises(AssertionError, match="parameter 'weight' is no option, which are fields"):
        spoiled.test_takes_one_config()


def test_a_secret_is_no_fault_and_is_not_told() -> None:
    spec = "tried?key=sk-1&token=sk-2"
    guarded = type("Guarded", (Sound,), {"where": "component:Guarded", "spec": spec})
    assert [result for result in run_checks(guarded) if result.outcome != "ok"] == []
    lossy = type("Lossy", (Sound,), {"where": "component:GuardedLossy", "spec": spec})
    (told,) = [result.cause for result in run_checks(lossy) if result.outcome != "ok"]
    assert "as others: draw" in told and "sk-" not in told


def test_every_check_has_its_mutant(record_property: Callable[[str, object], None]) -> None:
    assert set(MUTANTS) == set(CHECKS)
    assert all(check.promise.endswith(".") for check in CHECKS.values())
    record_property("conformance", f"component: {len(CHECKS)} checks, {len(caught)} mutants caught")


class Signed:
    async def act(self, request): ...  # type: ignore[no-untyped-def]
    def close(self): ...  # type: ignore[no-untyped-def]


class Loose:
    async def act(self, *args, **kwargs): ...  # type: ignore[no-untyped-def]
    async def close(self, now=False): ...  # type: ignore[no-untyped-def]


class Short:
    async def run(self, request, limits): ...  # type: ignore[no-untyped-def]
    async def read(self, path, max_bytes=5): ...  # type: ignore[no-untyped-def]
    async def write(self, path, data, mode): ...  # type: ignore[no-untyped-def]
    async def list(self, *, path="."): ...  # type: ignore[no-untyped-def]


def test_a_wrong_signature_is_told_with_what_was_expected() -> None:
    assert differences(Policy, Signed) == ["close: it is not async; expected async def close()"]
    assert differences(Policy, Loose()) == []
    found = differences(Sandbox, Short(), optional=True)
    assert found == [
        "list: path is keyword-only, not positional or keyword; expected async def list(path='.')",
        "read: max_bytes has another (5) default; expected "
        "async def read(path, max_bytes=1073741824)",
        "run: it takes no on_output; expected async def run(request, limits, on_output=None)",
        "write: it needs mode besides; expected async def write(path, data)",
    ]
