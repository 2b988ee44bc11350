"""Private scores are for people: permuting them changes nothing that an agent does or reads."""

from __future__ import annotations

import asyncio
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

from mlxlab.api import Hooks, RunFolder, RunOptions, new_run
from mlxlab.core.entries import Entry
from mlxlab.core.registry import Registry
from mlxlab.core.task import Grade

STEPS = 8


class Permuted:
    """Task temperature with private scores that have nothing to do with the submission."""

    def __init__(self) -> None:
        self._task: Any = Registry.installed().create("task", "temperature").instance
        self._grader = self._task.grader()
        self._graded = 0
        self.hidden = self._task.hidden
        self.info = self._task.info
        self.prepare = self._task.prepare

    def grader(self) -> Permuted:
        return self

    def grade(self, submission: bytes) -> Grade:
        self._graded += 1
        grade: Grade = self._grader.grade(submission)
        return grade.model_copy(update={"private": 1.234567 * 7**self._graded % 10})


def run(task: str, out: Path) -> RunFolder:
    name = "tests.acceptance.test_private:Permuted"
    point = EntryPoint("task.permuted", name, "mlxlab.components")
    entry = Entry("task", "permuted", name, "tests", "0", point)
    registry = Registry([*Registry.installed().entries, entry])
    runner = new_run(RunOptions(task=task, steps=STEPS, out=out), Hooks(), registry)
    asyncio.run(runner.run())
    return RunFolder(runner.folder)


def test_permuting_private_scores_changes_no_action_and_no_prompt(tmp_path: Path) -> None:
    plain, permuted = run("temperature", tmp_path), run("permuted", tmp_path)
    assert [s.action for s in plain.steps()] == [s.action for s in permuted.steps()]
    assert [s.parent for s in plain.steps()] == [s.parent for s in permuted.steps()]
    assert plain.manifest().best == permuted.manifest().best
    for folder in (plain, permuted):
        texts = [m.content for s in folder.steps() for m in folder.prompt(s.prompt or "")]
        private = [score.score for score in folder.private_scores().values()]
        assert len(private) == STEPS
        for score in filter(None, private):
            assert not any(f"{score:.4f}"[:6] in text for text in texts)
    told = {s.step: s.observation.public_score for s in plain.steps()}
    assert any(f"{score:.4f}"[:6] in text for score in told.values() for text in texts if score)
