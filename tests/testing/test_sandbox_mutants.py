"""Every check of sandboxes is seen to fail, on a sandbox that breaks its promise."""

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

from mlxlab.core.errors import MlxError
from mlxlab.core.sandbox import Sandbox
from mlxlab.sandboxes.local import LocalConfig
from mlxlab.testing.kit import checks_of
from mlxlab.testing.sandboxes import SandboxConformance
from mlxlab.testing.sandboxes.conformance.answers import answering, own
from tests.testing.mutants.sandbox import MUTANTS
from tests.testing.mutants.sandbox.apart import Unconfined
from tests.testing.mutants.sandbox.joints import Make, Real, changes_programs, instead, told
from tests.testing.mutants.sandbox.life import Partial, Untidy

CHECKS = {check.id: check for check in checks_of(SandboxConformance)}
caught: set[str] = set()


class Bench(SandboxConformance):
    """Opens the sandbox that mutants share: what they break lies around it."""

    __test__ = False
    config: ClassVar = LocalConfig()
    mutant: ClassVar[Make]

    @classmethod
    def make(cls) -> Sandbox:
        real = Real(cls.config)
        return cls.mutant(real) if hasattr(cls, "mutant") else real

    @classmethod
    def spoiled(cls, make: Make) -> SandboxConformance:
        """The suite with a mutant around the open sandbox, and around each that is opened."""
        real: Any = own(cls.sandbox)
        spoiled: Any = make(real)
        changed = {"mutant": staticmethod(make), "sandbox": answering(spoiled)}
        return type("Spoiled", (cls,), changed)()


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


async def _text(real: Real, path: str, max_bytes: int = 1 << 30) -> str:
    return (await real.read(path, max_bytes)).decode(errors="replace")


async def _names(real: Real, path: str = ".") -> list[str]:
    return [entry.path for entry in await real.list(path)]


async def _nothing(real: Real, *arguments: object) -> None:
    return None


def _at_once(real: Real, path: str, data: bytes) -> None:
    return None


WRONG: list[tuple[str, Make, str]] = [
    ("bytes", instead(read=_text), "read returned str, no bytes"),
    ("bytes", instead(write=_at_once), "write is not async"),
    ("time_is_taken", instead(run=_nothing), "run returned NoneType, no ExecResult"),
    ("removing_a_link_keeps_its_aim", instead(list=_names), "list returned a list with str, no"),
    (
        "what_is_unchanged_is_the_same_state",
        instead(snapshot=_nothing),
        "snapshot returned NoneType, no Snapshot",
    ),
    (
        "packages_are_what_code_finds",
        instead(packages=_nothing),
        "packages returned NoneType, no Packages",
    ),
    ("it_is_a_sandbox", Partial, "it is no method: packages"),
    (
        "an_exit_code_is_data",
        told(lambda result: {"exit_code": result.exit_code and 1}),
        "raise SystemExit(3) came to exited with 1, expected exited with 3",
    ),
    (
        "closing_twice_and_using_it_afterwards",
        Untidy,
        "files are left in scratch: log",
    ),
]


@pytest.mark.parametrize(("name", "make", "said"), WRONG, ids=[each[2] for each in WRONG])
def test_what_is_wrong_is_said(name: str, make: Make, said: str) -> None:
    suite = Bench.spoiled(make)
    suite.setup_method()
    with pytest.raises(AssertionError) as failure:
        getattr(suite, CHECKS[f"sandbox.{name}"].method)()
    assert said in str(failure.value)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("files", "isolation says files=True, but a program read a file of the host"),
        ("network", "a program reached a listener of the host at 127.0.0.1 and at an abstract"),
        ("processes_of_the_host", "but a program saw a process of the host"),
        ("user", "isolation says user=True, but a program ran as "),
    ],
)
def test_a_broken_promise_of_isolation_is_said(name: str, said: str) -> None:
    with pytest.raises(AssertionError) as failure:
        getattr(Bare.spoiled(Unconfined), CHECKS[f"sandbox.{name}"].method)()
    assert said in str(failure.value)


def test_a_method_that_is_misspelt_is_said() -> None:
    names = ("open", "run", "read", "write", "remove", "list", "restore", "packages", "close")
    there = dict.fromkeys((*names, "snapshoot"), _nothing)
    made: Any = type("Made", (), {**there, "isolation": SimpleNamespace()})()
    suite = type("Spoiled", (Bench,), {"sandbox": answering(made)})()
    with pytest.raises(AssertionError) as failure:
        suite.test_it_is_a_sandbox()
    wanted = "a sandbox has to have: snapshot. It has 'snapshoot': did you mean 'snapshot'?"
    assert str(failure.value).startswith(wanted)


def test_mutants_that_change_programs_still_run_them() -> None:
    """A check that fails for a program that cannot run has found out nothing."""
    changing = {name: make for name, make in MUTANTS.items() if changes_programs(make)}
    assert len(changing) > 10
    for name, make in changing.items():
        assert Bench.spoiled(make).says("print('fine')") == "fine", name


def test_every_check_has_its_mutant(record_property: Callable[[str, object], None]) -> None:
    assert set(MUTANTS) == set(CHECKS)
    record_property("conformance", f"sandbox: {len(CHECKS)} checks, {len(caught)} mutants caught")
