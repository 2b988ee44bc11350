"""Prompts without the ideas that exploration wove in: the model learns to have them itself."""

from __future__ import annotations

from collections.abc import Sequence

from mlxlab.core.planning import IDEAS
from mlxlab.core.records import Message

_HEAD = IDEAS.strip()


def stripped(messages: Sequence[Message], ideas: Sequence[str]) -> list[Message]:
    """Messages without the lines that hold an idea, and without the line above them."""
    if not ideas:
        return list(messages)
    gone = {f"{mark}{idea}" for mark in ("- ", "idea: ") for idea in ideas}
    return [
        message.model_copy(update={"content": _without(message.content, gone)})
        for message in messages
    ]


def _without(text: str, gone: set[str]) -> str:
    lines = text.split("\n")
    kept: list[str] = []
    for number, line in enumerate(lines):
        following = lines[number + 1].strip() if number + 1 < len(lines) else ""
        if line.strip() in gone:
            continue
        if line.strip() == _HEAD and following in gone:
            while kept and not kept[-1].strip():
                kept.pop()
            continue
        kept.append(line)
    return "\n".join(kept)
