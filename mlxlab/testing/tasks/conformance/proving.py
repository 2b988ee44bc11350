"""What takes a sandbox to prove: that the starter runs, and that the answers cannot be had."""

from __future__ import annotations

from typing import ClassVar

from mlxlab.testing.taskcheck import leaks, rows, running
from mlxlab.testing.tasks.conformance.harness import Harness, found


class Proving(Harness):
    """Programs run as an agent's would, with the task's `hidden` packages out of sight."""

    look_s: ClassVar[float] = 2.0
    """How long answers are looked for outside the task's own files, in seconds."""

    def test_the_starter_runs(self) -> None:
        """The starter script leaves a valid submission in the default time; without one passes."""
        found(running.starter_runs(self.subject()))

    def test_rows_tell_no_answers(self) -> None:
        """No column, order or repeated row of the public tables gives the answers away."""
        found(*rows.of_rows(self.subject()))

    def test_answers_cannot_be_had(self) -> None:
        """A program that searches public files and installed packages does not find them."""
        found(*leaks.no_leaks(self.subject(), self.look_s))
