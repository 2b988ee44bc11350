"""The public files: written where they are wanted, the same each time."""

from __future__ import annotations

from dataclasses import replace

from mlxlab.testing.surroundings import elsewhere, untouched
from mlxlab.testing.taskcheck import facts
from mlxlab.testing.tasks.conformance.harness import Harness, called, found


class Preparing(Harness):
    """`prepare` and what it leaves."""

    def test_files_repeat(self) -> None:
        """Two instances write the same bytes, and exactly the files that `info` names."""
        found(facts.files_repeat(self.subject()))

    def test_files_are_the_same_elsewhere(self) -> None:
        """Folder, variables, time, random numbers, and what was graded before, change no byte.

        Variables that say where files or the network are to be found stay: data may lie there.
        """
        subject, folder = self.subject(), self.folder()
        called(subject.grader.grade, subject.sample or b"")
        with elsewhere(subject.task, same_places=True):
            called(subject.task.prepare, folder)
        found(facts.files_repeat(replace(subject, repeat=folder)))

    def test_changes_nothing_around_it(self) -> None:
        """Making, preparing and grading leave variables, folder, draws and threads alone.

        No process is left behind either.
        """
        folder = self.folder()
        sample = self.subject().sample or b""
        with untouched():
            task = called(self.make)
            called(task.prepare, folder)
            called(called(task.grader).grade, sample)
