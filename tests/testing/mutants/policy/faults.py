"""Policies that a server's faults lead astray."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping

from mlxlab.core.errors import PolicyError
from mlxlab.core.records import Completion, Usage
from mlxlab.plugins.policies.openai import OpenAI, OpenAIConfig
from mlxlab.plugins.policies.openai.exchange import Client, Response
from mlxlab.testing.policies import KEY_VARIABLE
from tests.testing.mutants.policy.base import (
    Body,
    Policies,
    answering,
    as_the_library_raised,
    failing,
    hearing,
    reading,
    saying,
    telling,
)

GUESS = Completion(text="?", model="guessed", latency_s=0.1)
KNOWN = {"id", "object", "created", "model", "choices", "usage"}


def pages_are_words(came: Response) -> Response:
    """What a server sends as a page is its answer."""
    if b"<html" not in came.body:
        return came
    words = {"choices": [{"message": {"content": came.body.decode()}}]}
    return Response(came.status, came.headers, json.dumps(words).encode())


def in_its_own_words(came: Response) -> Response:
    """Whatever a server says of an error is the error's message."""
    if came.status >= 400:
        raise PolicyError(came.body.decode(), retryable=came.status >= 429)
    return came


def with_the_key(error: PolicyError) -> PolicyError:
    """What was sent is told with what came."""
    return PolicyError(f"Sent with {os.environ[KEY_VARIABLE]}. {error.message}")


def for_want_of_words(done: Completion) -> Completion:
    """An answer without text is an error."""
    if not done.text:
        raise PolicyError("The answer is empty.", retryable=True)
    return done


def of_a_known_end(done: Completion) -> Completion:
    """Knows how an answer may end."""
    if done.finish_reason not in ("stop", "length", "tool_calls", "content_filter"):
        raise ValueError(f"finish_reason: {done.finish_reason!r}")
    return done


def counted_as_none(done: Completion) -> Completion:
    """A count that nobody made is 0."""
    counts = {name: value or 0 for name, value in done.usage.model_dump().items()}
    return done.model_copy(update={"usage": Usage(**counts)})


def cached_apart(done: Completion) -> Completion:
    """Cached tokens come on top of the prompt's."""
    tokens = (done.usage.prompt_tokens or 0) + (done.usage.cached_prompt_tokens or 0)
    return done.model_copy(
        update={"usage": done.usage.model_copy(update={"prompt_tokens": tokens})}
    )


def in_latin_1(came: Response) -> Response:
    """Reads bytes as HTTP once did."""
    return Response(came.status, came.headers, came.body.decode("latin-1").encode())


def printed(done: Completion) -> Completion:
    """Shows the text to somebody first."""
    done.text.encode()
    return done


def part_by_part(body: Body) -> Body:
    """The first part is the content."""
    said = body["choices"][0]["message"]
    if isinstance(said["content"], list) and said["content"]:
        said["content"] = said["content"][0]["text"]
    return body


def of_known_fields(body: Body) -> Body:
    """Takes what it knows."""
    if unknown := set(body) - KNOWN:
        raise TypeError(f"unexpected arguments: {unknown}")
    return body


def mended(body: Body) -> Body:
    """Finds something in what holds no answer."""
    choices = body.get("choices")
    if not choices and "error" not in body:
        return {**body, "choices": [{"message": {"content": "?"}}]}
    return body


def errors_are_words(body: Body) -> Body:
    """What stands in the place of an answer is one."""
    if "error" in body:
        return {"choices": [{"message": {"content": str(body["error"])}}]}
    return body


def patient(config: OpenAIConfig) -> OpenAI:
    """Waits as long as it takes."""
    return OpenAI(config.model_copy(update={"timeout_s": 3600.0}))


def patient_with_bytes(config: OpenAIConfig) -> OpenAI:
    """Limits how long nothing comes, and not the call."""
    made = patient(config)
    made._client = Client(f"{config.base_url}/chat/completions", config.timeout_s)
    return made


def following(config: OpenAIConfig) -> OpenAI:
    """Goes where it is sent, with all that it has."""
    made = OpenAI(config)
    post = made._client.post

    async def posted(body: bytes, headers: Mapping[str, str]) -> Response:
        came = await post(body, headers)
        if "location" not in came.headers:
            return came
        there = Client(came.headers["location"], config.timeout_s)
        try:
            return await there.post(body, headers)
        finally:
            await there.close()

    made._client.post = posted
    return made


FAULTS: dict[str, Policies] = {
    "statuses_that_pass": telling(retryable=False),
    "statuses_that_stay": telling(retryable=True),
    "the_wait_that_is_wished": telling(retry_after_s=None),
    "a_prompt_that_is_too_long": telling(retryable=False),
    "the_key_is_not_told": failing(with_the_key),
    "much_said_is_cut": hearing(in_its_own_words),
    "silence": patient,
    "slow_bytes": patient_with_bytes,
    "dropped": failing(lambda _: GUESS),
    "no_server": failing(as_the_library_raised),
    "no_json": telling(retryable=False),
    "a_wrong_content_type": hearing(pages_are_words),
    "no_choices": reading(mended),
    "an_error_with_status_200": reading(errors_are_words),
    "it_is_said_what_came": telling(message="It failed."),
    "no_content": answering(for_want_of_words),
    "an_unknown_finish": answering(of_a_known_end),
    "content_in_parts": reading(part_by_part),
    "thinking_in_every_form": saying(reasoning=None),
    "tokens_that_are_not_counted": answering(counted_as_none),
    "cached_tokens": answering(cached_apart),
    "another_charset": hearing(in_latin_1),
    "half_characters": answering(printed),
    "fields_of_tomorrow": reading(of_known_fields),
    "a_redirection_gets_no_key": following,
    "a_huge_answer": answering(
        lambda done: done.model_copy(update={"text": done.text[:1_000_000]})
    ),
    "a_huge_header": failing(as_the_library_raised),
}
