"""litellm's response as a Completion."""

from __future__ import annotations

from typing import Any

from mlxlab.core.errors import PolicyError
from mlxlab.core.records import Completion, Usage
from mlxlab.plugins.policies.access import Access
from mlxlab.plugins.policies.thinking import split_message


def completion(response: Any, access: Access, latency_s: float) -> Completion:
    """Read a response.

    `model` is the provider together with the name that it answered under, which tells versions
    apart where a name is an alias. Raises PolicyError for a response without an answer.
    """
    if not response.choices:
        raise PolicyError(f"{access.model} sent a response without an answer.", retryable=True)
    choice = response.choices[0]
    message = choice.message.model_dump()
    text, reasoning = split_message(message)
    named = str(response.model or "") or access.model
    prefix = f"{access.provider}/"
    usage = _usage(getattr(response, "usage", None))
    return Completion(
        text=text,
        reasoning=reasoning,
        tool_calls=tuple(message.get("tool_calls") or ()),
        usage=usage,
        cost_usd=_cost(response) if access.billed and usage != Usage() else None,
        model=named if named.startswith(prefix) else prefix + named,
        latency_s=latency_s,
        finish_reason=choice.finish_reason,
    )


def _usage(usage: Any) -> Usage:
    """The provider's own count; litellm puts zeros where there was none."""
    if usage is None or not (usage.prompt_tokens or usage.completion_tokens):
        return Usage()
    details = getattr(usage, "completion_tokens_details", None)
    return Usage(
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
        reasoning_tokens=getattr(details, "reasoning_tokens", None),
    )


def _cost(response: Any) -> float | None:
    """US dollars by litellm's price tables; None where they have no price.

    The tables hold 0 both for free models and for models whose price nobody filled in, so 0
    counts as unknown too.
    """
    cost = getattr(response, "_hidden_params", {}).get("response_cost")
    return float(cost) if cost else None
