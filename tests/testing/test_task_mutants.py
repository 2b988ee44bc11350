"""Every check of tasks is seen to fail, on a task that breaks its promise."""

import gc
import subprocess
from collections.abc import Callable
from math import nan
from pathlib import Path

import pytest

from mlxlab.core.sandbox import Sandbox
from mlxlab.core.task import Grade, Task
from mlxlab.testing import MemorySandbox, TaskConformance, run_checks
from mlxlab.testing.kit import checks_of
from tests.testing.mutants.task import (
    MUTANTS,
    PLAYS,
    Good,
    Wordy,
    grading,
    lenient,
    play,
    preparing,
    scored,
)

CHECKS = {check.id.partition(".")[2]: check for check in checks_of(TaskConformance)}
caught: set[str] = set()


class Sound(TaskConformance):
    __test__ = False
    play = staticmethod(play)

    @classmethod
    def make(cls) -> Task:
        return Good()

    @classmethod
    def make_sandbox(cls) -> Sandbox:
        return MemorySandbox(cls.play)


def test_what_mutants_are_made_of_conforms() -> None:
    assert [result for result in run_checks(Sound) if result.outcome != "ok"] == []


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_is_caught(name: str) -> None:
    make, told = MUTANTS[name]
    own = {"make": staticmethod(make), "play": staticmethod(PLAYS.get(name, play))}
    spoiled = type("Spoiled", (Sound,), own)
    spoiled.setup_class()
    try:
        with pytest.raises(AssertionError) as failure:
            getattr(spoiled(), CHECKS[name].method)()
    finally:
        spoiled.teardown_class()
    assert told in str(failure.value)
    caught.add(name)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (Wordy, ""),
        (grading(lambda sent, grade: lenient(sent, grade) if b"nan" in sent else grade), "a NaN"),
    ],
)
def test_a_value_is_malformed_where_it_has_to_be_a_number(
    make: Callable[[], Task], told: str
) -> None:
    suite = type("Suite", (Sound,), {"make": staticmethod(make)})
    without = {check.id for check in CHECKS.values()} - {"task.refuses_what_is_malformed"}
    (result,) = run_checks(suite, without=without)
    assert result.outcome == ("FAILED" if told else "ok"), result
    assert told in result.cause


def test_a_grader_that_returns_no_verdict_is_told_as_in_a_run() -> None:
    spoiled = grading(lambda _, grade: 0.5)  # type: ignore[arg-type, return-value]
    suite = type("Suite", (Sound,), {"make": staticmethod(spoiled)})
    search = {"task.answers_cannot_be_had"}
    failed = [each for each in run_checks(suite, without=search) if each.outcome == "FAILED"]
    assert {"task.takes_its_sample", "task.refuses_what_is_malformed"} <= {e.id for e in failed}
    # `judges_any_bytes` says it of the bytes that it sent.
    told = {each.cause.partition(" for b")[0] for each in failed}
    assert told <= {"grade returned float, no Grade", "grade returns float"}


def failed(make: Callable[[], Task], *names: str) -> dict[str, str]:
    """What these checks say of a task, by their names; nothing of those that pass."""
    suite = type("Suite", (Sound,), {"make": staticmethod(make)})
    without = {check.id for name, check in CHECKS.items() if name not in names}
    results = list(run_checks(suite, without=without))
    return {each.id.partition(".")[2]: each.cause for each in results if each.outcome == "FAILED"}


def test_a_score_that_is_nan_is_the_same_again() -> None:
    names = ("says_the_same_again", "grades_several_at_once", "scores_lie_in_the_metrics_range")
    said = failed(scored(private=nan), *names)
    assert said == {"scores_lie_in_the_metrics_range": "grade returned a private score that is nan"}


def test_a_process_that_is_left_behind_is_told() -> None:
    started: list[subprocess.Popen[bytes]] = []
    leaving = preparing(lambda _: started.append(subprocess.Popen(["sleep", "60"])))
    try:
        said = failed(leaving, "changes_nothing_around_it")
    finally:
        for process in started:
            process.kill()
            process.wait()
    names = [f"it left the process sleep ({process.pid})" for process in started]
    assert list(said.values()) == names[-1:]


class AsyncPrepare(Good):
    async def prepare(self, folder: Path) -> None:  # type: ignore[override]
        pass


class AsyncGrader(Good):
    async def grader(self) -> Good:  # type: ignore[override]
        return self


class AsyncGrade(Good):
    async def grade(self, submission: bytes) -> Grade:  # type: ignore[override]
        return super().grade(submission)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("make", "name"),
    [(AsyncPrepare, "prepare"), (AsyncGrader, "grader"), (AsyncGrade, "grade")],
)
def test_a_method_that_is_async_is_told(make: Callable[[], Task], name: str) -> None:
    said = failed(make, "files_repeat", "says_the_same_again")
    assert said["says_the_same_again"] == f"{name} is async, where def {name}(...) is meant"
    gc.collect()


def test_every_check_has_its_mutant(record_property: Callable[[str, object], None]) -> None:
    assert set(MUTANTS) == set(CHECKS)
    assert all(check.promise.endswith(".") for check in CHECKS.values())
    record_property("conformance", f"task: {len(CHECKS)} checks, {len(caught)} mutants caught")
