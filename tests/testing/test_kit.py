"""The kit itself: checks, declared gaps, and the same verdicts with pytest as without it."""

import asyncio
import inspect
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import ClassVar

import pytest

import mlxlab.testing
from mlxlab.core.errors import SandboxUnavailable
from mlxlab.testing.kit import Check, Conformance, Result, checks_of, in_order, run_checks
from mlxlab.testing.suites import suite_of
from tests.testing.number_suite import Numbers

ROOT = Path(__file__).parents[2]
SUITES = [name for name in mlxlab.testing.__all__ if name.endswith("Conformance")]
BESIDE = ("FaultConformance", "ServedConformance")
"""Suites of servers, whose harness is the one of policies and which have not its checks."""
MIXED = """
from mlxlab.core.sandbox import Sandbox
from mlxlab.sandboxes.local import LocalConfig
from mlxlab.testing.sandboxes import SandboxConformance
from tests.testing.mutants.sandbox.joints import Real, told


class TestMixed(SandboxConformance):
    known_gaps = {
        "sandbox.an_exit_code_is_data": "exit codes are lost",
        "sandbox.stdin_is_empty": "mended long ago",
    }

    @classmethod
    def make(cls) -> Sandbox:
        return told(lambda _: {"exit_code": 0})(Real(LocalConfig()))
"""
ALONE = """
import sys
import mlxlab.testing

heavy = {"pytest", "numpy", "torch"}
assert "pydantic" not in sys.modules, "the package itself costs something"
for name in mlxlab.testing.__all__:
    getattr(mlxlab.testing, name)
    assert not heavy & sys.modules.keys(), f"{name} imports {heavy & sys.modules.keys()}"
"""
VERDICTS = {
    "a_listing": ("ok", "passed"),
    "an_exit_code_is_data": ("gap", "xfailed"),
    "streams_of_a_command_are_kept_apart": ("FAILED", "failed"),
    "stdin_is_empty": ("FAILED", "failed"),
}


def outcomes(suite: type[Conformance], **options: dict[str, str]) -> dict[str, str]:
    return {result.id: result.outcome for result in run_checks(suite, **options)}


def test_no_suite_or_fake_imports_pytest_or_anything_heavy() -> None:
    done = subprocess.run([sys.executable, "-c", ALONE], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_checks_have_ids_and_promises_of_one_line() -> None:
    assert checks_of(Numbers) == [
        Check("number.even", "It has two halves.", "test_even"),
        Check("number.positive", "It is above zero.", "test_positive"),
    ]


@pytest.mark.parametrize("name", SUITES)
def test_every_check_promises_something_in_a_line(name: str) -> None:
    suite = getattr(mlxlab.testing, name)
    for check in checks_of(suite):
        text = inspect.getdoc(getattr(suite, check.method)) or ""
        assert check.promise.endswith("."), f"{check.id} does not end its first line"
        assert text.partition("\n\n")[0] == check.promise, f"{check.id} needs more than a line"


@pytest.mark.parametrize("name", SUITES)
def test_no_check_takes_the_place_of_another(name: str) -> None:
    """Two parts of a suite with a test of the same name: only one of them would ever run."""
    for check in checks_of(getattr(mlxlab.testing, name)):
        within = [cls for cls in getattr(mlxlab.testing, name).__mro__ if check.method in vars(cls)]
        for first, second in pairwise(within):
            assert issubclass(first, second), f"{check.id} is in {first} and in {second}"


@pytest.mark.parametrize("name", SUITES)
def test_basics_are_checks_and_go_first(name: str) -> None:
    suite = getattr(mlxlab.testing, name)
    ids = [check.id for check in in_order(suite)]
    own = [each for each in (f"{suite.prefix}.{basic}" for basic in suite.basics) if each in ids]
    assert ids == [*own, *(check.id for check in checks_of(suite) if check.id not in own)]
    assert len(own) == len(suite.basics) or name in BESIDE, "a basic that there is not"


def test_every_kind_has_basics() -> None:
    kinds = {"command", "policy", "reward", "sandbox", "scaffold", "task", "trainer"}
    for kind in kinds:
        suite = suite_of(kind)
        assert suite is not None and suite.basics, kind


def test_a_suite_runs_without_pytest() -> None:
    Numbers.said.clear()
    assert outcomes(Numbers) == {"number.even": "ok", "number.positive": "ok"}
    each = ["method", "end of method"]
    assert Numbers.said == ["class", *each, *each, "end of class"]


def test_a_failure_says_why_and_costs_no_other_check() -> None:
    class Negative(Numbers):
        value = -4

    assert list(run_checks(Negative)) == [
        Result("number.even", "ok", "It has two halves."),
        Result("number.positive", "FAILED", "It is above zero.", "-4 is not positive"),
    ]


def test_the_line_is_shown_where_an_assertion_has_no_text() -> None:
    class Odd(Numbers):
        value = 3

    (even, _) = run_checks(Odd)
    assert even.cause.startswith("assert self.value % 2 == 0 (line ")


def test_an_error_before_or_after_a_check_is_its_failure() -> None:
    class Unset(Numbers):
        def setup_method(self) -> None:
            raise OSError("no room")

    class Left(Numbers):
        def teardown_method(self) -> None:
            raise OSError("no way back")

    assert {result.cause for result in run_checks(Unset)} == {"OSError: no room"}
    assert {result.cause for result in run_checks(Left)} == {"OSError: no way back"}


def test_a_check_that_ends_or_cancels_costs_no_other_check() -> None:
    class Ending(Numbers):
        def setup_method(self) -> None:
            sys.exit(3)

    class Cancelled(Numbers):
        known_gaps: ClassVar = {"number.even": "only odd ones are made"}

        @property
        def value(self) -> int:
            raise asyncio.CancelledError("nobody waits")

    assert [result.cause for result in run_checks(Ending)] == ["SystemExit: 3"] * 2
    even, positive = run_checks(Cancelled)
    assert (even.outcome, positive.cause) == (
        "gap",
        "asyncio.exceptions.CancelledError: nobody waits",
    )
    with pytest.raises(pytest.xfail.Exception, match="only odd ones are made"):
        Cancelled().test_even()


def test_a_check_that_misses_something_here_has_found_out_nothing() -> None:
    class Lacking(Numbers):
        known_gaps: ClassVar = {"number.even": "only odd ones are made"}

        @property
        def value(self) -> int:
            try:
                raise SandboxUnavailable("no engine\nanywhere")
            except SandboxUnavailable as error:
                raise AssertionError("it has no value") from error

    found = [(result.outcome, result.cause) for result in run_checks(Lacking)]
    assert found == [("not checked", "no engine anywhere")] * 2


def test_a_class_is_torn_down_when_nobody_reads_on() -> None:
    Numbers.said.clear()
    results = run_checks(Numbers)
    next(results)
    results.close()
    assert Numbers.said[-1] == "end of class"


def test_an_unknown_gap_is_refused() -> None:
    with pytest.raises(TypeError, match=r"Typo\.known_gaps names no check: number\.evne"):
        type("Typo", (Numbers,), {"known_gaps": {"number.evne": "a slip"}})


def test_a_gap_of_another_suite_of_the_kind_is_left_to_it() -> None:
    class Sandbox:
        known_gaps: ClassVar = {"sandbox.memory": "no limit", "component.loads_cheaply": "large"}

    class Own(mlxlab.testing.SandboxConformance):
        known_gaps = Sandbox.known_gaps

    class Whole(mlxlab.testing.ComponentConformance):
        kind = "sandbox"
        known_gaps = Sandbox.known_gaps

    assert Own.gaps() == {"sandbox.memory": "no limit"}
    assert Whole.gaps() == {"component.loads_cheaply": "large"}
    with pytest.raises(TypeError, match=r"names no check: reward\.gives_a_reason"):
        type("Typo", (Own,), {"known_gaps": {"reward.gives_a_reason": "a slip"}})


def test_a_gap_stays_strict_in_a_subclass() -> None:
    class Odd(Numbers):
        value = 3
        known_gaps: ClassVar = {"number.even": "only odd ones are made"}

    class Again(Odd):
        known_gaps: ClassVar = {**Odd.known_gaps, "number.positive": "below zero too"}

    class Mended(Again):
        value = 4

    class Less(Odd):
        value = -3
        known_gaps: ClassVar = {"number.positive": "below zero too"}

    assert outcomes(Less) == {"number.even": "gap", "number.positive": "gap"}
    assert outcomes(Mended) == {"number.even": "FAILED", "number.positive": "FAILED"}
    for check in checks_of(Numbers):
        with pytest.raises(AssertionError, match="but passes"):
            getattr(Mended(), check.method)()
        with pytest.raises(pytest.xfail.Exception):
            getattr(Less(), check.method)()


def test_a_gap_has_to_fail() -> None:
    class Odd(Numbers):
        value = 3
        known_gaps: ClassVar = {"number.even": "only odd ones are made"}

    class Stale(Numbers):
        known_gaps: ClassVar = {"number.even": "only odd ones are made"}

    with pytest.raises(pytest.xfail.Exception, match="only odd ones are made"):
        Odd().test_even()
    with pytest.raises(AssertionError, match=r"number\.even is a known gap .* but passes"):
        Stale().test_even()
    assert outcomes(Odd) == {"number.even": "gap", "number.positive": "ok"}
    (stale, _) = run_checks(Stale)
    assert stale.outcome == "FAILED" and "take it out" in stale.cause


def test_without_pytest_a_gap_fails_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    class Odd(Numbers):
        value = 3
        known_gaps: ClassVar = {"number.even": "only odd ones are made"}

    monkeypatch.delitem(sys.modules, "pytest")
    with pytest.raises(AssertionError):
        Odd().test_even()


def test_gaps_can_be_declared_beside_the_suites_own() -> None:
    class Odd(Numbers):
        value = 3

    (even, _) = run_checks(Odd, gaps={"number.even": "only odd ones are made"})
    assert (even.outcome, even.cause) == ("gap", "only odd ones are made")
    (positive,) = run_checks(Odd, without=["number.even"])
    assert positive.id == "number.positive"


def with_pytest(module: Path) -> dict[str, str]:
    """What pytest says of each check, by its name."""
    only = ["-k", " or ".join(f"test_{name}" for name in VERDICTS)]
    command = [sys.executable, "-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, *only, str(module)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    words = {"PASSED": "passed", "FAILED": "failed", "XFAIL": "xfailed", "ERROR": "error"}
    lines = [line.split() for line in done.stdout.splitlines() if "::test_" in line]
    return {line[1].rpartition("::test_")[2]: words[line[0]] for line in lines if line[0] in words}


def test_a_real_sandbox_gets_the_same_verdicts_with_and_without_pytest(tmp_path: Path) -> None:
    module = tmp_path / "test_mixed.py"
    module.write_text(MIXED)
    names: dict[str, type[Conformance]] = {}
    exec(compile(MIXED, str(module), "exec"), names)
    suite = names["TestMixed"]
    others = {check.id for check in checks_of(suite)} - {f"sandbox.{name}" for name in VERDICTS}
    without = {result.id: result.outcome for result in run_checks(suite, without=others)}
    assert without == {f"sandbox.{name}": verdict for name, (verdict, _) in VERDICTS.items()}
    assert with_pytest(module) == {name: verdict for name, (_, verdict) in VERDICTS.items()}
