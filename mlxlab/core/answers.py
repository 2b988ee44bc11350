"""What a policy answered, checked: numbers that can be counted with, texts of a size to keep."""

from __future__ import annotations

from math import isnan
from typing import Any

from mlxlab.core.boundary import Boundary, number_problem, whole
from mlxlab.core.errors import broken
from mlxlab.core.jsonl import scrubbed
from mlxlab.core.records import Completion, Usage

MOST_ANSWER = 1 << 22
"""Characters of an answer, and tokens; no model writes as many."""
_MOST_COUNTED = 1 << 53


def recordable(who: str, completion: object) -> Completion:
    """An answer that can be recorded and counted; what was left out of it is in its notes.

    Raises:
        PluginError: it is none, or its text is no text.
    """
    if not isinstance(completion, Completion):
        raise broken(who, "act", f"returned {type(completion).__name__}, no Completion")
    text: object = completion.text
    if not isinstance(text, str):
        kind = type(text).__name__
        raise broken(who, "act", f"returned a Completion whose text is {kind}, no text")
    with Boundary(who, "act"):
        return whole(_countable(completion))


def _countable(completion: Completion) -> Completion:
    """An answer without what nobody can count with."""
    update: dict[str, Any] = {}
    notes: list[str] = []
    for name in ("text", "reasoning"):
        found = getattr(completion, name)
        if found is not None:
            update[name] = scrubbed(found[:MOST_ANSWER])
            if len(found) > MOST_ANSWER:
                notes.append(f"{name} was cut: {len(found)} characters, {MOST_ANSWER} are kept")
    for name, instead in (("cost_usd", None), ("latency_s", 0.0)):
        value = getattr(completion, name)
        if value is not None and (problem := _amount_problem(value)):
            update[name] = instead
            notes.append(f"{name} was left out: it {problem}")
    if (usage := _usage(completion.usage, notes)) is not completion.usage:
        update["usage"] = usage
    if problem := _tokens_problem(completion):
        update |= {"token_ids": None, "prompt_token_ids": None, "logprobs": None}
        notes.append(f"token_ids and logprobs were left out: {problem}")
    if notes:
        update["notes"] = (*completion.notes, *notes)
    return completion.model_copy(update=update)


def _amount_problem(value: Any) -> str:
    return number_problem(value) or (f"is {value:g}" if value < 0 else "")


def _usage(usage: Usage, notes: list[str]) -> Usage:
    """The counts of tokens that can be; the others are unknown."""
    wrong = {
        name: None
        for name, count in usage
        if count is not None and not (isinstance(count, int) and 0 <= count <= _MOST_COUNTED)
    }
    if not wrong:
        return usage
    notes.append(f"usage was left out: {', '.join(wrong)} is no number of tokens")
    return usage.model_copy(update=wrong)


def _tokens_problem(completion: Completion) -> str:
    ids, logprobs = completion.token_ids or (), completion.logprobs or ()
    if max(len(ids), len(logprobs), len(completion.prompt_token_ids or ())) > MOST_ANSWER:
        return f"there are more than {MOST_ANSWER}"
    return "one is nan" if isnan(sum(logprobs)) else ""
