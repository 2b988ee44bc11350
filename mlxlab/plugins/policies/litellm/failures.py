"""What litellm raises, as a PolicyError that says whether another try makes sense."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from mlxlab.core.errors import PolicyError
from mlxlab.plugins.policies.access import NO_KEY, Access

MAX_DETAIL = 300
_TOO_LONG = ("ContextWindowExceeded", "context_length_exceeded", "maximum context length")
RETRYABLE = frozenset({408, 409, 425, 429})
"""Beside these: every status from 500 on, and an answer of 200 that cannot be read."""


def failure(error: Exception, access: Access) -> PolicyError:
    """The PolicyError for an exception of a call."""
    status = getattr(error, "status_code", None)
    status = status if isinstance(status, int) else None
    if missing := re.search(r"No module named '(\w+)", str(error)):
        return PolicyError(
            f"litellm needs the package '{missing[1]}' to reach {access.model}.",
            f"Install it with: pip install {missing[1]}",
        )
    codes = (str(getattr(cause, "code", "")) for cause in _chain(error))
    text = " ".join([type(error).__name__, str(error), *codes])
    retryable = _retryable(status) and "insufficient_quota" not in text
    # litellm gives a broken connection the status 500; only an answer has headers.
    answered = status not in (None, 200) and any(True for _ in _headers(error))
    said = f"answered {status}" if answered else "failed"
    return PolicyError(
        f"{access.model} {said}: {_detail(error, access)}",
        _hint(status, text, access),
        retryable=retryable,
        retry_after_s=_retry_after(error) if retryable else None,
    )


def timed_out(access: Access, timeout_s: float) -> PolicyError:
    """The PolicyError for a call that was cut off at its time limit."""
    return PolicyError(
        f"{access.model} gave no whole answer within {timeout_s:g} s.",
        "A longer limit is set with ?timeout_s=",
        retryable=True,
    )


def _retryable(status: int | None) -> bool:
    return status is None or status == 200 or status >= 500 or status in RETRYABLE


def _hint(status: int | None, text: str, access: Access) -> str:
    key = " or ".join(access.variables)
    if status == 400 and any(words in text for words in _TOO_LONG):
        return "The prompt is too long for this model: take one with a longer context."
    if status in (401, 403) and key:
        return f"Check the key in {key}."
    if status in (401, 403):
        return "No key was sent there: name its variable with &key_env=VARIABLE"
    if status == 402 or "insufficient_quota" in text:
        return f"The account{f' of {key}' if key else ''} has no credit left."
    if status == 404:
        return "Check the model's name and the base URL."
    return ""


def _detail(error: Exception, access: Access) -> str:
    """One short line of what the provider said, without the key and without litellm's frame."""
    text = str(getattr(error, "message", "") or error)
    text = text.split("Exception - ", 1)[-1].split("Traceback (most recent call last)")[0]
    text = _inner(text)
    if access.key and access.key != NO_KEY:
        text = text.replace(access.key, "***")
    text = " ".join(text.split()) or type(error).__name__
    return text if len(text) <= MAX_DETAIL else text[: MAX_DETAIL - 3] + "..."


def _inner(text: str) -> str:
    try:
        body = json.loads(text)
    except ValueError:
        return text
    inner = body.get("error", body) if isinstance(body, dict) else body
    if isinstance(inner, dict):
        inner = inner.get("message") or inner
    return str(inner)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An exception and what it came from; litellm puts its own before the client's."""
    cause: BaseException | None = error
    for _ in range(10):
        if cause is None:
            return
        yield cause
        cause = cause.__cause__ or cause.__context__


def _retry_after(error: Exception) -> float | None:
    for headers in _headers(error):
        named = {str(name).lower(): str(value) for name, value in headers.items()}
        if (wait := _number(named.get("retry-after-ms"))) is not None:
            return wait / 1000
        if value := named.get("retry-after"):
            return _number(value) if _number(value) is not None else _until(value)
    return None


def _headers(error: Exception) -> Iterator[Mapping[Any, Any]]:
    response = getattr(error, "response", None)
    for headers in (getattr(error, "litellm_response_headers", None), response):
        headers = getattr(headers, "headers", headers)
        if isinstance(headers, Mapping) and headers:
            yield headers


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None


def _until(date: str) -> float | None:
    """Seconds from now to an HTTP date."""
    try:
        moment = parsedate_to_datetime(date)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
