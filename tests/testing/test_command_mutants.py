"""Every check of commands is seen to fail, on a command that breaks its promise."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from mlxlab.core.entries import COMPONENTS, Entry
from mlxlab.testing import CommandConformance, run_checks
from mlxlab.testing.kit import checks_of
from tests.cli.conftest import distribution
from tests.testing.mutants.command import MORE, MUTANTS

CHECKS = {check.id.partition(".")[2]: check for check in checks_of(CommandConformance)}
caught: set[str] = set()


class Sound(CommandConformance):
    __test__ = False
    name = "tried"
    arguments = ()
    where = "command:Good"

    @classmethod
    def entry(cls) -> Entry:
        target = f"tests.testing.mutants.{cls.where}"
        point = EntryPoint("command.tried", target, COMPONENTS)
        return Entry("command", "tried", target, "mutants", "1", point)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the processes that run a command find it installed."""
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path


def installed(site: Path, where: str) -> type[Sound]:
    distribution(site, "mutants", {"command.tried": f"tests.testing.mutants.{where}"})
    return type("Tried", (Sound,), {"where": where})


def test_what_mutants_are_made_of_conforms(site: Path) -> None:
    sound = installed(site, Sound.where)
    assert [result for result in run_checks(sound) if result.outcome != "ok"] == []


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_is_caught(name: str, site: Path) -> None:
    where, told = MUTANTS[name]
    spoiled = installed(site, where)()
    with pytest.raises(AssertionError) as failure:
        getattr(spoiled, CHECKS[name].method)()
    assert told in str(failure.value)
    caught.add(name)


@pytest.mark.parametrize(("name", "where", "told"), MORE)
def test_other_ways_to_break_it_are_told(name: str, where: str, told: str, site: Path) -> None:
    spoiled = installed(site, f"command:{where}")()
    with pytest.raises(AssertionError) as failure:
        getattr(spoiled, CHECKS[name].method)()
    assert told in str(failure.value)


def test_json_is_asked_for_once(site: Path) -> None:
    once = type("Once", (installed(site, "command:Once"),), {"arguments": ("--json",)})
    assert [result for result in run_checks(once) if result.outcome != "ok"] == []


def test_every_check_has_its_mutant(record_property: Callable[[str, object], None]) -> None:
    assert set(MUTANTS) == set(CHECKS)
    assert all(check.promise.endswith(".") for check in CHECKS.values())
    record_property("conformance", f"command: {len(CHECKS)} checks, {len(caught)} mutants caught")
