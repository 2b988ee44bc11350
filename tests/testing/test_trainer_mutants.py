"""Every check of trainers is seen to fail, on a trainer that breaks its promise."""

import re
from collections.abc import Callable

import pytest

from mlxlab.core.trainer import Trainer
from mlxlab.testing import TrainerConformance, run_checks
from mlxlab.testing.kit import checks_of
from mlxlab.testing.trainers import RecordingConfig, RecordingTrainer
from tests.testing.mutants.trainer import MUTANTS, Acting

CHECKS = {check.id.partition(".")[2]: check for check in checks_of(TrainerConformance)}
caught: set[str] = set()


class Sound(TrainerConformance):
    __test__ = False

    @classmethod
    def make(cls) -> Trainer:
        return Acting()


class TestRecordingTrainer(Sound):
    """The public fake keeps every promise."""

    @classmethod
    def make(cls) -> Trainer:
        return RecordingTrainer(RecordingConfig(steps=2))


def test_what_mutants_are_made_of_conforms() -> None:
    assert [result for result in run_checks(Sound) if result.outcome != "ok"] == []


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_is_caught(name: str) -> None:
    make, told = MUTANTS[name]
    spoiled = type("Spoiled", (Sound,), {"make": staticmethod(make)})
    spoiled.setup_class()
    try:
        with pytest.raises(AssertionError) as failure:
            getattr(spoiled(), CHECKS[name].method)()
    finally:
        spoiled.teardown_class()
    assert told in str(failure.value)
    caught.add(name)


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_is_caught_whatever_was_checked_before(name: str) -> None:
    spoiled = type("Spoiled", (Sound,), {"make": staticmethod(MUTANTS[name][0])})
    results = {result.id: result.outcome for result in run_checks(spoiled)}
    assert results[f"trainer.{name}"] == "FAILED"


def test_actions_of_a_training_that_is_done_are_steps_too() -> None:
    class Repeating(Acting):
        repeats = True

    spoiled = type("Spoiled", (Sound,), {"make": staticmethod(Repeating)})
    failed = [result for result in run_checks(spoiled) if result.outcome == "FAILED"]
    assert [result.id for result in failed] == ["trainer.done_is_done"]
    assert re.search(r"took \d+ actions again", failed[0].cause)


def test_a_trainer_that_lies_about_its_arena_is_caught_too() -> None:
    class Sly(Acting):
        needs_arena = False

    spoiled = type("Spoiled", (Sound,), {"make": staticmethod(Sly)})
    results = {result.id: result for result in run_checks(spoiled)}
    assert results["trainer.needs_arena_is_true"].outcome == "FAILED"


def test_every_check_has_its_mutant(record_property: Callable[[str, object], None]) -> None:
    assert set(MUTANTS) == set(CHECKS)
    assert all(check.promise.endswith(".") for check in CHECKS.values())
    record_property("conformance", f"trainer: {len(CHECKS)} checks, {len(caught)} mutants caught")
