"""Statuses of HTTP: which of them are worth another try, and when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from mlxlab.core.errors import ContextTooLong
from mlxlab.testing.loopback import Reply, error
from mlxlab.testing.policies.faults.harness import SECRET, Harness


class Statuses(Harness):
    """A refusal says whether to come again."""

    def test_statuses_that_pass(self) -> None:
        """Too many requests and trouble of the server are worth another try."""
        for status in (429, 500, 502, 503, 504, 529):
            self.retryable(error(status), str(status))
        page = Reply(status=502, body=b"<html>bad gateway</html>", content_type="text/html")
        self.retryable(page, "a page with 502")

    def test_statuses_that_stay(self) -> None:
        """A wrong key, no credit, no such model, an impossible request: no other try helps."""
        for status in (400, 401, 402, 403, 404, 422):
            self.final(error(status), str(status))
        self.final(error(429, "pay first", "insufficient_quota"), "no credit")

    def test_the_wait_that_is_wished(self) -> None:
        """`retry_after_s` is the server's wish in seconds, milliseconds or a date, else None."""
        for given, seconds in (("7", 7.0), ("0.5", 0.5), ("soon", None), ("nan", None)):
            problem = self.fails(error(429, retry_after=given), given)
            assert problem.retry_after_s == seconds, (given, problem.retry_after_s)
        problem = self.fails(error(503, retry_after_ms="1500"), "milliseconds")
        assert problem.retry_after_s == 1.5, problem.retry_after_s
        for later_s, low, high in ((60, 40, 60), (-60, 0, 0)):
            date = format_datetime(datetime.now(UTC) + timedelta(seconds=later_s), usegmt=True)
            wished = self.fails(error(429, retry_after=date), date).retry_after_s
            assert wished is not None and low <= wished <= high, (date, wished)

    def test_a_prompt_that_is_too_long(self) -> None:
        """A prompt that the model has no room for is ContextTooLong: a shorter one may do."""
        problem = self.fails(error(400, "at most 9 tokens", "context_length_exceeded"), "too long")
        assert isinstance(problem, ContextTooLong), f"a {type(problem).__name__}: {problem}"

    def test_the_key_is_not_told(self) -> None:
        """No error holds the key, though the server repeats it in its words."""
        for status in (400, 401, 500):
            self.fails(error(status, f"wrong key:\n {SECRET}\nsorry"), str(status))

    def test_much_said_is_cut(self) -> None:
        """However much a server says, the error's message is for a line."""
        told = str(self.fails(error(500, "word " * 100_000), "a long message"))
        assert len(told) < 1500, f"{len(told)} characters: {told[:100]}"
