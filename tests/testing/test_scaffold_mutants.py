"""Every check of scaffolds is seen to fail, on a scaffold that breaks its promise."""

from collections.abc import Callable

import pytest

from mlxlab.core.errors import MlxError
from mlxlab.core.scaffold import Scaffold
from mlxlab.testing import ScaffoldConformance, run_checks
from mlxlab.testing.kit import checks_of
from tests.testing.mutants.scaffold import MORE, MUTANTS, Good

CHECKS = {check.id.partition(".")[2]: check for check in checks_of(ScaffoldConformance)}
caught: set[str] = set()


class Sound(ScaffoldConformance):
    __test__ = False

    @classmethod
    def make(cls) -> Scaffold:
        return Good()


def test_what_mutants_are_made_of_conforms() -> None:
    assert [result for result in run_checks(Sound) if result.outcome != "ok"] == []


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_is_caught(name: str) -> None:
    kind, told = MUTANTS[name]
    spoiled = type("Spoiled", (Sound,), {"make": staticmethod(kind)})()
    with pytest.raises((AssertionError, MlxError)) as failure:
        getattr(spoiled, CHECKS[name].method)()
    assert told in str(failure.value)
    caught.add(name)


@pytest.mark.parametrize(("name", "kind", "told"), MORE)
def test_another_way_is_caught(name: str, kind: type[Good], told: str) -> None:
    spoiled = type("Spoiled", (Sound,), {"make": staticmethod(kind)})()
    with pytest.raises(AssertionError) as failure:
        getattr(spoiled, CHECKS[name].method)()
    assert told in str(failure.value)


def test_every_check_has_its_mutant(record_property: Callable[[str, object], None]) -> None:
    assert set(MUTANTS) == set(CHECKS)
    assert all(check.promise.endswith(".") for check in CHECKS.values())
    record_property("conformance", f"scaffold: {len(CHECKS)} checks, {len(caught)} mutants caught")
