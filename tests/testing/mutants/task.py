"""For each check of tasks a task that breaks its promise, and what the check says of it."""

from __future__ import annotations

import csv
import io
import itertools
import json
import os
import random
import time
from collections.abc import Callable
from datetime import datetime
from math import nan
from pathlib import Path
from typing import Any

from mlxlab.core.sandbox import ExecResult
from mlxlab.core.task import Board, Grade, TaskInfo
from mlxlab.testing import ToyTask
from mlxlab.testing.sandboxes.memory import Files
from mlxlab.testing.tasks.toy import FILES, ROWS, TRAIN

STARTER = {"solution.py": "hand in zeros"}
ANSWERS = ToyTask.submission([float(row) for row in range(ROWS)])
REPORT = {"leaks": [], "files": 3, "read": 3, "tables": 2, "unjoined": [], "honest": []}
LEAK = {
    "route": "public",
    "source": "more.csv",
    "column": "y",
    "on": "id",
    "coverage": 1.0,
    "sure": True,
    "paths": ["found/0.csv"],
}


class Good(ToyTask):
    """The toy with a training table, a starter, and answers for the host's eyes."""

    def __init__(self, **changes: Any) -> None:
        given = {"files": (TRAIN, *FILES), "train_rows": 24, "starter": STARTER}
        super().__init__(**given | changes)

    def oracle(self) -> bytes:
        return ANSWERS.encode()


def play(script: str, files: Files) -> ExecResult | None:
    """Acts out the starter, and the search for answers."""
    if "hand in" in script:
        files["submission.csv"] = ToyTask.submission([0.0] * ROWS).encode()
    else:
        files["found/report.json"] = json.dumps(REPORT).encode()
    return None


def finding(script: str, files: Files) -> ExecResult | None:
    """A search that finds the answers."""
    files["found/report.json"] = json.dumps({**REPORT, "leaks": [LEAK]}).encode()
    files["found/0.csv"] = ANSWERS.encode()
    return None


def crashing(script: str, files: Files) -> ExecResult | None:
    return ExecResult(outcome="exited", exit_code=1, stdout="", stderr="KeyError", duration_s=0.1)


def changed(**changes: Any) -> Callable[[], Good]:
    return lambda: Good(**changes)


def preparing(spoil: Callable[[Path], object]) -> Callable[[], Good]:
    """Does something to the folder that was prepared."""

    class Mutant(Good):
        def prepare(self, folder: Path) -> None:
            super().prepare(folder)
            spoil(folder)

    return Mutant


def grading(verdict: Callable[[bytes, Grade], Grade]) -> Callable[[], Good]:
    """The verdict as a function of the submission and of what it should be."""

    class Mutant(Good):
        def grade(self, submission: bytes) -> Grade:
            return verdict(submission, super().grade(submission))

    return Mutant


def scored(**scores: float | None) -> Callable[[], Good]:
    return grading(lambda _, grade: grade.model_copy(update=scores if grade.valid else {}))


class Restless(Good):
    """Says something else of itself each time."""

    looks = itertools.count()

    @property
    def info(self) -> TaskInfo:
        return super().info.model_copy(update={"title": f"Toy {next(self.looks)}"})


class Wrong(Good):
    """Holds answers that are none."""

    def oracle(self) -> bytes:
        return ToyTask.submission([9.0] * ROWS).encode()


class Listing(Good):
    """Hides a list."""

    hidden: Any = ["mlxtend"]


class Drifting(Good):
    """Is milder each time."""

    def __init__(self) -> None:
        super().__init__()
        self.times = itertools.count()

    def grade(self, submission: bytes) -> Grade:
        grade = super().grade(submission)
        milder = (grade.private or 0.0) / (1 + next(self.times))
        return grade.model_copy(update={"private": milder}) if grade.valid else grade


class Shared(Good):
    """Grades what was handed in last, by whomever."""

    def grade(self, submission: bytes) -> Grade:
        self.latest = submission
        time.sleep(0.005)
        return super().grade(self.latest)


class Telling(Good):
    """Has a column that is the target, in a table large enough to be looked at."""

    def __init__(self) -> None:
        super().__init__(train_rows=80)

    def prepare(self, folder: Path) -> None:
        super().prepare(folder)
        draw = random.Random(0)
        numbers = [(row, draw.random(), draw.uniform(0, 7)) for row in range(ROWS, ROWS + 80)]
        known = [[row, noise, y, y] for row, noise, y in numbers]
        asked = [[row, draw.random(), float(row)] for row in range(ROWS)]
        (folder / TRAIN).write_text(table(["id", "noise", "hint", "y"], known))
        (folder / "test.csv").write_text(table(["id", "noise", "hint"], asked))


def table(header: list[str], rows: list[list[Any]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([header, *rows])
    return out.getvalue()


def lenient(submission: bytes, grade: Grade) -> Grade:
    return grade if grade.valid else Grade(valid=True, public=3.5, private=3.0)


def raising(submission: bytes, grade: Grade) -> Grade:
    if submission.startswith(b"PK"):
        raise ValueError("a strange file")
    return grade


def candid(submission: bytes, grade: Grade) -> Grade:
    told = {"private": 3.125, "message": "It is worth 3.125."}
    return grade.model_copy(update=told) if grade.valid else grade


def written(name: str, text: Callable[[], str]) -> Callable[[], Good]:
    return preparing(lambda folder: (folder / name).write_text(text()))


class Wordy(Good):
    """Asks for words; one that nobody knows is wrong, and nothing worse."""

    words = ("red", "blue", "nan", "") * (ROWS // 4)

    def prepare(self, folder: Path) -> None:
        super().prepare(folder)
        rows = [[row, "red"] for row in range(ROWS)]
        (folder / "sample_submission.csv").write_text(table(["id", "y"], rows))

    def grade(self, submission: bytes) -> Grade:
        try:
            lines = [*csv.reader(io.StringIO(submission.decode()), strict=True)]
            given = {int(number): word for number, word in lines[1:]}
        except (ValueError, IndexError, csv.Error):
            return Grade(valid=False, message="It is no table of ids and words.")
        if lines[:1] != [["id", "y"]] or [*given] != [*range(ROWS)] or len(lines) != ROWS + 1:
            return Grade(valid=False, message="It has other columns or ids.")
        wrong = [float(given[row] != word) for row, word in enumerate(self.words)]
        return Grade(valid=True, public=sum(wrong[1::2]), private=sum(wrong[::2]))


MUTANTS: dict[str, tuple[Callable[[], Good], str]] = {
    "info_is_stable": (Restless, "differ in title"),
    "info_is_complete": (changed(title=" "), "info.title is empty"),
    "info_is_read_back": (changed(m_init=nan), "m_init is no finite number"),
    "boards_are_sorted": (
        changed(boards=(Board(kind="human", scores=(3.0, 1.0)),)),
        "3.0 is before 1.0",
    ),
    "paths_stay_in_the_workspace": (changed(entrypoint="../solution.py"), "leads elsewhere"),
    "hidden_is_stated": (Listing, "no tuple"),
    "files_repeat": (
        written("test.csv", lambda: os.urandom(4).hex()),
        "test.csv is not the same each time",
    ),
    "files_are_the_same_elsewhere": (
        written("test.csv", lambda: str(datetime.now().date())),
        "test.csv is not the same each time",
    ),
    "changes_nothing_around_it": (
        preparing(lambda folder: random.seed(0)),
        "it changed the global random numbers",
    ),
    "takes_its_sample": (
        written("sample_submission.csv", lambda: ANSWERS),
        "better than the baseline",
    ),
    "takes_the_true_answers": (Wrong, "The true answers score"),
    "refuses_what_is_malformed": (grading(lenient), "is taken as valid"),
    "judges_any_bytes": (grading(raising), "grade raises ValueError: a strange file"),
    "says_the_same_again": (Drifting, "the second grade is another one"),
    "grades_several_at_once": (Shared, "graded together get other grades"),
    "scores_lie_in_the_metrics_range": (scored(private=-1.0), "-1.0 lies outside [0.0, None]"),
    "scores_public_rows_where_there_are_some": (scored(public=None), "no public score"),
    "messages_tell_no_private_score": (grading(candid), "the message tells 3.125"),
    "rows_tell_no_answers": (Telling, "'hint'"),
    "the_starter_runs": (Good, "does not run"),
    "answers_cannot_be_had": (Good, "'y' in more.csv, joined on id"),
}
"""By the check's id, without the kind."""
PLAYS = {"the_starter_runs": crashing, "answers_cannot_be_had": finding}
"""What programs come to, where that is what is wrong."""
