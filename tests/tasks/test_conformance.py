"""Tasks of each sort put to the suite of all tasks.

All but the toy without programs and models, which `test_taskcheck` tries on every one.
"""

from pathlib import Path

import pytest

from mlxlab.core.task import Task
from mlxlab.testing import TaskConformance, run_checks, toy_task
from tests.tasks.folders import house, made
from tests.tasks.test_builtin import PROOFS, make


class TestToy(TaskConformance):
    @classmethod
    def make(cls) -> Task:
        return toy_task()


def failures(task, without):
    suite = type("Suite", (TaskConformance,), {"make": staticmethod(task)})
    results = list(run_checks(suite, without=without))
    assert len(results) >= 18
    return {result.id: result.cause for result in results if result.outcome != "ok"}


def test_a_generated_task_conforms():
    assert failures(lambda: make("generated:linear/1"), PROOFS) == {}


def test_a_folder_conforms(tmp_path: Path):
    folder = house(tmp_path)
    assert failures(lambda: made(folder), PROOFS) == {}


@pytest.mark.parametrize("name", ["temperature", "terrain", "names"])
def test_a_quick_builtin_task_conforms(name):
    assert failures(lambda: make(name), PROOFS) == {}
