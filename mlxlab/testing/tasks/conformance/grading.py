"""Verdicts on submissions: of any bytes, the same each time, telling nobody the answers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from math import isfinite

from mlxlab.core.task import Grade
from mlxlab.testing.taskcheck import grades
from mlxlab.testing.tasks.conformance.harness import Harness, called, found

_JUNK = (
    b"\x00" * 1_000,
    b"\xff\xfe" + bytes(range(256)) * 40,
    b'"' * 10_001,
    b"id," * 20_000,
    b"id\n" + b"9" * 200_000,
    "\ufeffid,y\n\u0660,\u0661\n".encode(),
    b"PK\x03\x04 no archive",
    b"[" * 100_000,
)
"""Bytes that are no submission to any task."""


class Grading(Harness):
    """`grade` is called by several workers, on whatever an agent's program left."""

    def test_takes_its_sample(self) -> None:
        """The sample submission is valid, scored, and no better than the stated baseline."""
        found(grades.sample_valid(self.subject()))

    def test_takes_the_true_answers(self) -> None:
        """Where the grader hands out an oracle, that scores at least the reference; else passes."""
        found(grades.oracle(self.subject()))

    def test_refuses_what_is_malformed(self) -> None:
        """A file of another form gets a verdict with a reason, and no score."""
        found(grades.malformed_refused(self.subject()))

    def test_judges_any_bytes(self) -> None:
        """Zeros, archives, endless lines and nested brackets are verdicts, never exceptions."""
        for junk in _JUNK:
            verdict: object = called(self.subject().grader.grade, junk)
            kind = type(verdict).__name__
            assert isinstance(verdict, Grade), f"grade returns {kind} for {junk[:20]!r}"
            assert verdict.valid or verdict.message.strip(), f"{junk[:20]!r} is refused in silence"

    def test_says_the_same_again(self) -> None:
        """One submission has one grade: by one grader twice, by another one, after others."""
        subject = self.subject()
        sample, again = subject.sample or b"", called(subject.again.grader)
        # As texts: what is no number equals nothing, itself included.
        first = repr(called(subject.grader.grade, sample))
        called(subject.grader.grade, b"something else")
        second = repr(called(subject.grader.grade, sample))
        assert second == first, "the second grade is another one"
        assert repr(called(again.grade, sample)) == first, "two instances grade differently"

    def test_grades_several_at_once(self) -> None:
        """Workers that hand in at the same moment get the grades that each would get alone."""
        subject = self.subject()
        submissions = [subject.sample or b"", b"", b"something else"] * 4
        alone = [repr(called(subject.grader.grade, submission)) for submission in submissions]
        with ThreadPoolExecutor(6) as pool:
            together = list(pool.map(lambda s: repr(called(subject.grader.grade, s)), submissions))
        assert together == alone, "submissions that are graded together get other grades"

    def test_scores_lie_in_the_metrics_range(self) -> None:
        """Scores are finite and within what the metric states; an error is not negative."""
        grade, metric = self.sample_grade(), self.subject().info.metric
        for score in (grade.public, grade.private):
            if score is not None:
                low = metric.low is None or score >= metric.low
                high = metric.high is None or score <= metric.high
                fits = isfinite(score) and low and high
                assert fits, f"{score} lies outside [{metric.low}, {metric.high}]"
        error = grade.private_standard_error
        assert error is None or (isfinite(error) and error >= 0), f"the standard error is {error}"

    def test_scores_public_rows_where_there_are_some(self) -> None:
        """A public score is given exactly where `info` states public rows."""
        subject = self.subject()
        if subject.sample is None:
            return
        grade = self.sample_grade()
        told = "no public score" if grade.public is None else "a public score"
        fits = (grade.public is not None) == subject.info.has_public
        assert fits, f"there are {subject.info.public_rows} public rows, and {told}"

    def test_messages_tell_no_private_score(self) -> None:
        """What the agent is told of a submission does not hold its private score."""
        grade = self.sample_grade()
        private = grade.private
        if private is None or private == grade.public or float(private).is_integer():
            return
        digits = f"{private:.4g}"
        assert digits not in grade.message, f"the message tells {digits}: {grade.message}"
