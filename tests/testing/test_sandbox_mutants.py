"""Every check of sandboxes is seen to fail, on a sandbox that breaks its promise."""

from collections.abc import Callable, Iterator
from typing import ClassVar

import pytest

from mlxlab.core.errors import MlxError
from mlxlab.core.sandbox import Sandbox
from mlxlab.sandboxes.local import LocalConfig
from mlxlab.testing.kit import checks_of
from mlxlab.testing.sandboxes import SandboxConformance
from tests.testing.mutants.sandbox import MUTANTS
from tests.testing.mutants.sandbox.joints import Make, Real, changes_programs

CHECKS = {check.id: check for check in checks_of(SandboxConformance)}
caught: set[str] = set()


class Bench(SandboxConformance):
    """Opens the sandbox that mutants share: what they break lies around it."""

    config: ClassVar = LocalConfig()
    mutant: ClassVar[Make]

    @classmethod
    def make(cls) -> Sandbox:
        real = Real(cls.config)
        return cls.mutant(real) if hasattr(cls, "mutant") else real

    @classmethod
    def spoiled(cls, make: Make) -> SandboxConformance:
        """The suite with a mutant around the open sandbox, and around each that is opened."""
        own = {"mutant": staticmethod(make), "sandbox": make(cls.sandbox)}
        return type("Spoiled", (cls,), own)()


class Bare(Bench):
    """The same without isolation; in the same event loop, for the libraries are imported there."""

    config = LocalConfig(isolation="none")


@pytest.fixture(scope="module", autouse=True)
def benches() -> Iterator[None]:
    Bench.setup_class()
    Bare.sandbox = Bare.opened("bare")
    yield
    Bare.wait(Bare.sandbox.close())
    Bench.teardown_class()


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_is_caught(name: str) -> None:
    make = MUTANTS[name]
    bench = Bare if getattr(make, "over", Bench.config) == Bare.config else Bench
    suite = bench.spoiled(make)
    try:
        with pytest.raises((AssertionError, MlxError)):
            suite.setup_method()
            getattr(suite, CHECKS[name].method)()
    finally:
        suite.wait(suite.sandbox.undo())
    caught.add(name)


def test_mutants_that_change_programs_still_run_them() -> None:
    """A check that fails for a program that cannot run has found out nothing."""
    changing = {name: make for name, make in MUTANTS.items() if changes_programs(make)}
    assert len(changing) > 10
    for name, make in changing.items():
        assert Bench.spoiled(make).says("print('fine')") == "fine", name


def test_every_check_has_its_mutant(record_property: Callable[[str, object], None]) -> None:
    assert set(MUTANTS) == set(CHECKS)
    record_property("conformance", f"sandbox: {len(CHECKS)} checks, {len(caught)} mutants caught")
