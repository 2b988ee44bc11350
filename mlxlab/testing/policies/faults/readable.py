"""Answers in unusual forms, which are read all the same."""

from __future__ import annotations

import json
from typing import Any

from mlxlab.core.records import Usage
from mlxlab.testing.loopback import Reply, message
from mlxlab.testing.policies.faults.harness import Harness

_DRAFT = "Hm.\n```python\nprint('draft')\n```"
_ANSWER = "A plan.\n```python\nprint('final')\n```"


class Readable(Harness):
    """An answer is there: nothing is tried again for its looks."""

    def test_no_content(self) -> None:
        """An empty answer is an answer, and its tokens were paid for."""
        contents: tuple[Any, ...] = (None, "", [])
        for content in contents:
            done = self.answers(message(content), f"content {content}")
            assert done.text == "" and done.usage.completion_tokens == 500, done

    def test_an_unknown_finish(self) -> None:
        """A finish_reason that nobody knows leaves the text as it is."""
        for finish in ("because", "", "max_tokens", "stop_sequence"):
            done = self.answers(message("hello", finish=finish), finish)
            assert done.text == "hello", done

    def test_content_in_parts(self) -> None:
        """Content in parts is put together."""
        parts: list[dict[str, Any]] = [{"type": "text", "text": t} for t in ("hel", "lo")]
        done = self.answers(message(parts), "parts")
        assert done.text == "hello", done

    def test_thinking_in_every_form(self) -> None:
        """A thought, in whatever form it comes, is `reasoning` and no part of the answer."""
        forms = {
            "reasoning_content": message(_ANSWER, reasoning_content=_DRAFT),
            "reasoning": message(_ANSWER, reasoning=_DRAFT),
            "tags": message(f"<think>{_DRAFT}</think>\n{_ANSWER}"),
            "opened by the prompt": message(f"{_DRAFT}</think>\n{_ANSWER}"),
            "blocks": message(_ANSWER, thinking_blocks=[{"type": "thinking", "thinking": _DRAFT}]),
        }
        for what, reply in forms.items():
            done = self.answers(reply, what)
            assert (done.text, done.reasoning) == (_ANSWER, _DRAFT), (what, done)
        done = self.answers(message(f"<think>{_DRAFT}", finish="length"), "unfinished")
        assert (done.text, done.reasoning) == ("", _DRAFT), done

    def test_tokens_that_are_not_counted(self) -> None:
        """Tokens that the server does not count are unknown, and so is the cost."""
        done = self.answers(message("hello", usage=None), "no usage")
        assert done.usage == Usage() and done.cost_usd is None, done
        odd = {"prompt_tokens": -1, "completion_tokens": "many", "total_tokens": None}
        done = self.answers(message("hello", usage=odd), "odd usage")
        assert done.usage == Usage() and done.cost_usd is None, done

    def test_cached_tokens(self) -> None:
        """Cached tokens are a part of the prompt's, and counted once."""
        usage = {
            "prompt_tokens": 900,
            "completion_tokens": 5,
            "total_tokens": 905,
            "prompt_tokens_details": {"cached_tokens": 800},
        }
        done = self.answers(message("hello", usage=usage), "cached")
        assert done.usage.prompt_tokens == 900, done
        assert done.usage.cached_prompt_tokens in (None, 800), done

    def test_another_charset(self) -> None:
        """JSON is UTF-8, whatever the content type says of it."""
        body = json.dumps(json.loads(message("häß €").body), ensure_ascii=False).encode()
        for kind in ("application/json; charset=latin-1", "application/octet-stream", "x/y"):
            done = self.answers(Reply(body=body, content_type=kind), kind)
            assert "h" in done.text and done.finish_reason == "stop", (kind, done)
        done = self.answers(Reply(body=body), "no charset")
        assert done.text == "häß €", done

    def test_half_characters(self) -> None:
        """A lone surrogate in an answer leaves the rest readable."""
        done = self.answers(message("hel \ud800 lo"), "a surrogate")
        assert "hel" in done.text and "lo" in done.text, done

    def test_fields_of_tomorrow(self) -> None:
        """Fields that nobody knows yet are left alone."""
        body = json.loads(message("hello", audio=None, refusal=None, annotations=[]).body)
        body |= {"service_tier": "x", "system_fingerprint": None, "new": {"a": [1]}}
        done = self.answers(Reply(body=json.dumps(body).encode()), "more")
        assert done.text == "hello", done
