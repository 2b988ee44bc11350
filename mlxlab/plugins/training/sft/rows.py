"""Recorded steps as token rows, of which only the answers are learned."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from mlxlab.core.errors import MlxError
from mlxlab.core.training.examples import Example
from mlxlab.plugins.training.ideas import stripped
from mlxlab.plugins.training.prompts import completion_ids, marked, prompt_ids

IGNORED = -100
"""The label of a token that is not learned, as torch's cross entropy has it."""


@dataclass(frozen=True)
class Row:
    """One example in tokens."""

    example: Example
    prompt: tuple[int, ...]
    answer: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.prompt) + len(self.answer)

    def as_features(self) -> dict[str, list[int]]:
        """What TRL's collator takes."""
        return {
            "input_ids": [*self.prompt, *self.answer],
            "labels": [IGNORED] * len(self.prompt) + [*self.answer],
        }


def made(
    examples: Sequence[Example],
    tokenizer: Any,
    *,
    longest: int | None = None,
    strip: bool = False,
    reasoning: bool = False,
) -> tuple[list[Row], Counter[str]]:
    """Rows of examples, and why others are left out.

    Args:
        examples: recorded steps.
        tokenizer: of the model that learns them.
        longest: tokens of prompt and answer; a longer example is left out, never cut.
        strip: whether to take woven ideas out of the prompts.
        reasoning: whether thinking is learned.
    """
    rows: list[Row] = []
    left_out: Counter[str] = Counter()
    for example in examples:
        try:
            messages = example.messages()
            if strip:
                messages = stripped(messages, example.state.info.ideas)
            prompt = prompt_ids(tokenizer, messages)
            thought = example.reasoning if reasoning else None
            answer = completion_ids(tokenizer, messages, example.text, thought)
        except MlxError as error:
            left_out[error.message.rstrip(".")] += 1
            continue
        if not example.text.strip():
            left_out["their answer is empty"] += 1
        elif marked(tokenizer, answer):
            left_out["their answer spells out marks of the chat template"] += 1
        elif longest is not None and len(prompt) + len(answer) > longest:
            left_out[f"they are longer than {longest} tokens"] += 1
        else:
            rows.append(Row(example, tuple(prompt), tuple(answer)))
    return rows, left_out


def split(rows: Sequence[Row], share: float, seed: int) -> tuple[list[Row], list[Row]]:
    """Rows to learn and rows to validate with, whole tasks at a time.

    With fewer than three tasks there is none to spare.
    """
    tasks = sorted({row.example.state.task for row in rows})
    count = min(max(1, round(share * len(tasks))), len(tasks) - 1)
    if share == 0 or len(tasks) < 3:
        count = 0
    apart = set(Random(seed).sample(tasks, count))
    learned = [row for row in rows if row.example.state.task not in apart]
    return learned, [row for row in rows if row.example.state.task in apart]
