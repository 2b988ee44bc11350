"""Answers with status 200 that hold none."""

from __future__ import annotations

import json
from typing import Any

from mlxlab.testing.loopback import Reply, error, message
from mlxlab.testing.policies.faults.harness import Harness

_HEAD = {"id": "1", "object": "chat.completion", "created": 1, "model": "x"}
_PAGE = b"<!doctype html><html><body>Log in, please.</body></html>"


class Nonsense(Harness):
    """What cannot be read is worth another try, and no traceback."""

    def test_no_json(self) -> None:
        """Garbage, half an object, nothing or a page is no answer, and worth another try."""
        good = message("hello").body
        bodies = {
            "garbage": b"\x00\xff\xfe{not json",
            "half": good[: len(good) // 2],
            "nothing": b"",
            "a page as JSON": _PAGE,
            "another value": b"[]",
            "null": b"null",
        }
        for what, body in bodies.items():
            self.retryable(Reply(body=body), what)

    def test_a_wrong_content_type(self) -> None:
        """A page that says that it is one is no answer, and worth another try."""
        for kind in ("text/html", "text/html; charset=utf-8", "text/plain"):
            self.retryable(Reply(body=_PAGE, content_type=kind), kind)

    def test_no_choices(self) -> None:
        """An object without a choice or a message is no answer, and worth another try."""
        none: tuple[Any, ...] = ([], None, "none", [{}], [{"message": None}], [None])
        for choices in none:
            self.retryable(_body({"choices": choices}), str(choices))
        self.retryable(_body({}), "no choices")

    def test_an_error_with_status_200(self) -> None:
        """An error in the body of a good status, as some proxies send it, is an error."""
        told: tuple[Any, ...] = (
            {"message": "engine crashed", "code": 500},
            {"message": "rate limited", "code": 429},
            "engine crashed",
        )
        for text in told:
            self.retryable(Reply(body=json.dumps({"error": text}).encode()), str(text))

    def test_it_is_said_what_came(self) -> None:
        """The provider's own words are in the error's message."""
        inner = Reply(body=b'{"error": {"message": "engine crashed", "code": 500}}')
        for reply, what in ((error(500, "engine crashed"), "500"), (inner, "an error in a 200")):
            told = str(self.fails(reply, what))
            assert "engine crashed" in told, f"{what}: 'engine crashed' is not in: {told}"


def _body(fields: dict[str, Any]) -> Reply:
    return Reply(body=json.dumps({**_HEAD, **fields}).encode())
