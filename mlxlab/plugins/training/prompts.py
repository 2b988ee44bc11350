"""From recorded messages and answers to tokens, as the policy `local` sends and draws them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mlxlab.core.records import Message
from mlxlab.plugins.policies.local.prompts import Prompter, special_ids

_CLOSING = {"<": "</", "[": "[/"}


def prompt_ids(tokenizer: Any, messages: Sequence[Message]) -> list[int]:
    """The tokens of a prompt, those that `local` sends; raises PolicyError as it does."""
    return Prompter(tokenizer, None)(messages).ids


def completion_ids(
    tokenizer: Any, messages: Sequence[Message], text: str, reasoning: str | None = None
) -> list[int]:
    """What a model should draw after a prompt: thinking where there is any, the text, the end.

    Args:
        tokenizer: with a chat template and an end token.
        messages: the prompt, since some templates begin the thinking.
        text: the answer as it was recorded.
        reasoning: the thinking before it; None for none.
    """
    opened = Prompter(tokenizer, None)(messages).opened
    words = _thought(opened, reasoning) + text
    return [
        *tokenizer(words, add_special_tokens=False, verbose=False)["input_ids"],
        *_end(tokenizer),
    ]


def end_ids(tokenizer: Any) -> list[int]:
    """The tokens that end an answer: the one of the template's turns, and the tokenizer's own."""
    ends = {*Prompter(tokenizer, None).turn_end(), tokenizer.eos_token_id}
    return sorted(end for end in ends if end is not None)


def marked(tokenizer: Any, ids: Sequence[int]) -> bool:
    """Whether tokens before the last one are marks: a recorded text that spells them out."""
    marks = special_ids(tokenizer)
    return any(token in marks for token in ids[:-1])


def _end(tokenizer: Any) -> list[int]:
    turn = sorted(Prompter(tokenizer, None).turn_end())
    return turn[:1] or [tokenizer.eos_token_id]


def _thought(opened: str, reasoning: str | None) -> str:
    """Thinking with its tags; an empty one where the prompt has begun it."""
    if opened:
        closing = _CLOSING.get(opened[0], opened[0]) + opened[1:]
        return f"{reasoning or ''}\n{closing}\n\n"
    return f"<think>\n{reasoning}\n</think>\n\n" if reasoning else ""
