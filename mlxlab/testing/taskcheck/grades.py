"""Checks of a task's grader: the sample, the true answers, and malformed files."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from math import isfinite
from typing import Protocol, runtime_checkable

from mlxlab.core.task import Grade
from mlxlab.testing.taskcheck.finding import Finding, failed, passed, skipped
from mlxlab.testing.taskcheck.subject import NoGrade, Subject, score

_NO_NUMBERS = {"an empty value": "", "a NaN": "nan", "words for a value": "no value"}
"""What stands in a cell that has to be a number, by what it is called."""


@runtime_checkable
class Oracle(Protocol):
    """What a grader may offer besides: the answers, for the host's eyes only."""

    def oracle(self) -> bytes:
        """A submission of the true answers."""
        ...


def sample_valid(subject: Subject) -> Finding:
    """The sample submission is valid and no better than the stated baseline."""
    check, name = "sample-valid", subject.info.submission.sample
    if not name:
        return skipped(check, "Not applicable: the task has no sample submission.")
    if subject.sample is None:
        return failed(check, f"There is no {name}.")
    grade = subject.grade(subject.sample)
    if problem := _unscored(subject, grade):
        return failed(check, f"{name} {problem}.")
    assert grade.private is not None
    base = subject.info.baseline
    if base is None:
        return passed(check, f"{name} is valid and scores {score(grade.private)}.")
    slack = max(subject.noise(grade), 1e-3 * abs(base))
    if subject.gain(grade.private, base) > slack:
        told = f"scores {score(grade.private)}, better than the baseline {score(base)}"
        return failed(check, f"{name} {told}: it may hold answers, or the baseline is wrong.")
    return passed(check, f"It scores {score(grade.private)}; the baseline is {score(base)}.")


def oracle(subject: Subject) -> Finding:
    """The true answers are valid and at least as good as the reference."""
    check, grader = "oracle", subject.grader
    if not isinstance(grader, Oracle):
        return skipped(check, "The grader does not hand out its answers, so this is not checked.")
    grade = subject.grade(grader.oracle())
    if problem := _unscored(subject, grade):
        return failed(check, f"The true answers {problem}.")
    assert grade.private is not None
    best = subject.info.reference if subject.info.reference is not None else subject.info.baseline
    if best is not None and subject.gain(grade.private, best) < 0:
        told = f"score {score(grade.private)}, worse than {score(best)}, the best stated score"
        return failed(check, f"The true answers {told}.")
    return passed(check, f"The true answers are valid and score {score(grade.private)}.")


def malformed_refused(subject: Subject) -> Finding:
    """What is no submission gets a verdict with a reason, never an exception or a score."""
    check, count = "malformed-refused", 0
    for name, data in _malformed(subject):
        count += 1
        try:
            grade = subject.grade(data)
        except NoGrade:
            raise
        except Exception as error:
            return failed(check, f"A submission with {name} raises {type(error).__name__}.")
        if grade.valid:
            return failed(check, f"A submission with {name} is taken as valid.")
        if not grade.message.strip():
            return failed(check, f"A submission with {name} is refused without a reason.")
        if grade.private is not None or grade.public is not None:
            return failed(check, f"A submission with {name} is refused and scored all the same.")
    return passed(check, f"{count} malformed submissions are refused, each with a reason.")


def _unscored(subject: Subject, grade: Grade) -> str | None:
    if not grade.valid:
        return f"is not valid: {grade.message}"
    if grade.private is None:
        return "gets no private score"
    if subject.info.has_public and grade.public is None:
        return "gets no public score although there are public rows"
    return None


def _malformed(subject: Subject) -> Iterator[tuple[str, bytes]]:
    yield "no bytes", b""
    if subject.info.submission.form != "table":
        return
    yield "blank lines alone", b"\n\n"
    yield "bytes that are no text", b"\xff\xfe\x00\x01" * 64
    yield "a compressed file's first bytes", b"\x1f\x8b\x08\x00rubbish"
    lines = _lines(subject)
    if lines is None:
        return
    header, rows = lines[0], lines[1:]
    yield "a header alone", _csv([header])
    yield "no header", _csv(rows)
    yield "a wrong column", _csv([[*header[:-1], "no such column"], *rows])
    yield "an id missing", _csv(lines[:-1])
    yield "an id twice", _csv([*lines[:-1], lines[-2]])
    yield "an unknown id", _csv([*lines[:-1], ["no such id", *lines[-1][1:]]])
    # Of a label or a text a grader may say that it is wrong: it is an answer all the same.
    for name, cell in _NO_NUMBERS.items() if _are_numbers(row[-1] for row in rows) else ():
        yield name, _csv([*lines[:-1], [*lines[-1][:-1], cell]])
    yield "an open quote", _csv(lines[:-1]) + b'"open'
    yield "a NUL byte", _csv(lines[:-1]) + b"\0\n"


def _lines(subject: Subject) -> list[list[str]] | None:
    """The sample's cells; None if it is no CSV of ids and predictions with some rows."""
    contract = subject.info.submission
    try:
        lines = list(csv.reader(io.StringIO((subject.sample or b"").decode())))
    except (UnicodeDecodeError, csv.Error):
        return None
    fits = len(lines) > 2 and lines[0] == [contract.id_column, *contract.columns]
    return lines if fits else None


def _are_numbers(cells: Iterable[str]) -> bool:
    try:
        return all(isfinite(float(cell)) for cell in cells)
    except ValueError:
        return False


def _csv(lines: list[list[str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(lines)
    return out.getvalue().encode()
