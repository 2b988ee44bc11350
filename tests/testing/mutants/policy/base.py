"""Where a policy can be broken: one that asks a server, with one of its joints replaced."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from mlxlab.core.errors import PolicyError
from mlxlab.core.policy import PolicyRequest
from mlxlab.core.records import Completion
from mlxlab.plugins.policies.openai import OpenAI, OpenAIConfig
from mlxlab.plugins.policies.openai.exchange import Response

Policies = Callable[[OpenAIConfig], Any]
Body = dict[str, Any]


def asking(change: Callable[[PolicyRequest], PolicyRequest]) -> type[OpenAI]:
    """Asks something else."""

    class Mutant(OpenAI):
        async def act(self, request: PolicyRequest) -> Completion:
            return await super().act(change(request))

    return Mutant


def refusing(
    when: Callable[[PolicyRequest], object], error: Exception | None = None
) -> type[OpenAI]:
    """Fails at some requests; by default as if another try could help."""

    def change(asked: PolicyRequest) -> PolicyRequest:
        if when(asked):
            raise error or PolicyError("It did not work.", retryable=True)
        return asked

    return asking(change)


def answering(change: Callable[[Completion], Completion]) -> type[OpenAI]:
    """Answers something else."""

    class Mutant(OpenAI):
        async def act(self, request: PolicyRequest) -> Completion:
            return change(await super().act(request))

    return Mutant


def saying(**fields: Any) -> type[OpenAI]:
    """Answers with these fields."""
    return answering(lambda done: done.model_copy(update=fields))


def failing(change: Callable[[PolicyError], BaseException | Completion]) -> type[OpenAI]:
    """Raises something else, or answers instead."""

    class Mutant(OpenAI):
        async def act(self, request: PolicyRequest) -> Completion:
            try:
                return await super().act(request)
            except PolicyError as error:
                end = change(error)
                if isinstance(end, Completion):
                    return end
                raise end from error

    return Mutant


def telling(**fields: Any) -> type[OpenAI]:
    """Raises a PolicyError with these fields."""

    def change(error: PolicyError) -> PolicyError:
        kept = {"retryable": error.retryable, "retry_after_s": error.retry_after_s}
        told = {"message": error.message, "hint": error.hint, **kept, **fields}
        return PolicyError(told.pop("message"), told.pop("hint"), **told)

    return failing(change)


def as_the_library_raised(error: PolicyError) -> BaseException:
    """What lies below: another library's error."""
    return error.__cause__ or error


def posting(change: Callable[[bytes, Mapping[str, str]], tuple[bytes, dict[str, str]]]) -> Policies:
    """Sends another body, or other headers."""

    def make(config: OpenAIConfig) -> OpenAI:
        made = OpenAI(config)
        post = made._client.post
        made._client.post = lambda body, headers: post(*change(body, headers))
        return made

    return make


def hearing(change: Callable[[Response], Response]) -> Policies:
    """Takes another answer from the server."""

    def make(config: OpenAIConfig) -> OpenAI:
        made = OpenAI(config)
        post = made._client.post

        async def heard(body: bytes, headers: Mapping[str, str]) -> Response:
            return change(await post(body, headers))

        made._client.post = heard
        return made

    return make


def reading(change: Callable[[Body], Body]) -> Policies:
    """Reads another object out of a good answer."""

    def changed(came: Response) -> Response:
        if came.status != 200:
            return came
        body = json.dumps(change(json.loads(came.body))).encode()
        return Response(came.status, came.headers, body)

    return hearing(changed)


def having(**methods: Any) -> type[OpenAI]:
    """Has these methods or attributes, whatever they are."""
    return type("Mutant", (OpenAI,), methods)
