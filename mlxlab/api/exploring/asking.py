"""Asking a policy for ideas about a task, and reading them out of what it answers."""

from __future__ import annotations

import re
from random import Random

from mlxlab.core.policy import PolicyRequest
from mlxlab.core.records import ComponentRef, Decision, Message
from mlxlab.core.task import TaskInfo

OPERATOR = "ideas"
"""`Decision.operator` of a request for ideas: policies without a model know them by it."""
FLAG = "[advice]"
A_CALL = 25
"""Ideas asked for in one call; neither version of the paper says how many it asked for at once.
So many lines fit into one answer, and a later call names what the earlier ones gave."""
AXES = {
    "Data": "the data: cleaning, missing values, encodings, scaling, features, rows to leave out",
    "Model": "the model: its family, its size, its structure, an ensemble of several",
    "Learning": "how it learns: the loss, hyper-parameters, regularisation, validation, tuning",
}
"""The three axes of arXiv 2505.23723 v2, appendix B.1; what they mean is put in our words."""
_SYSTEM = "You advise people who build machine-learning models. You are brief and concrete."
_BULLET = re.compile(r"^\s*(?:[-*•]|\(?\d{1,3}[.):])\s+")
SHORTEST, LONGEST = 3, 600
"""Characters of an idea; what is shorter is no idea, and what is longer is an essay."""


def request_for(
    info: TaskInfo,
    scaffold: ComponentRef,
    axis: str,
    count: int,
    known: tuple[str, ...],
    seed: int,
    index: int,
) -> PolicyRequest:
    """The request for so many more ideas.

    Args:
        info: the task.
        scaffold: whose prompts the ideas go into.
        axis: one of `AXES`, or empty for ideas of any kind.
        count: how many.
        known: what was said before, not to be said again.
        seed: of the exploration.
        index: of the call, for this task and axis.
    """
    decision = Decision(
        step=index + 1,
        operator=OPERATOR,
        allowed=(),
        scaffold=scaffold,
        task=info.id,
        data_hash=info.data_hash,
        sandbox="",
        feedback="none",
        seed=seed,
        extra={"count": count, "axis": axis, "known": list(known)},
    )
    asked = Message(role="user", content=_prompt(info, axis, count, known))
    return PolicyRequest(
        messages=(Message(role="system", content=_SYSTEM), asked),
        decision=decision,
        task=info,
        seed=Random(f"{seed}:{info.data_hash}:{axis}:{index}").getrandbits(31),
    )


def _prompt(info: TaskInfo, axis: str, count: int, known: tuple[str, ...]) -> str:
    parts = [f"# The task\n{info.description.strip()}"]
    if info.preview:
        parts.append(f"# Its files\n{info.preview.strip()}")
    for path, code in info.starter.items():
        parts.append(f"# The script that work starts from: {path}\n```python\n{code.strip()}\n```")
    about = f" about {AXES[axis]}" if axis else ""
    parts.append(
        f"# What to do\nGive {count} pieces of advice{about} that could improve this script's "
        "score. Make them as different from each other as you can; each must be possible to "
        "carry out in one step, without other data. Write one line for each piece of advice, "
        f"and begin each of these lines with {FLAG}."
    )
    if known:
        listed = "\n".join(f"- {idea}" for idea in known)
        parts.append(f"# Given already; repeat none of them\n{listed}")
    return "\n\n".join(parts)


def ideas_in(text: str) -> list[str]:
    """The ideas of an answer, each once: its flagged lines, or those after a flag on its own.

    An answer without any flag is read for the points of a list, as models like to write them.
    """
    lines = text.splitlines()
    flagged = [place for place, line in enumerate(lines) if FLAG in line.lower()]
    if not flagged:
        found = [line for line in lines if _BULLET.match(line)]
    elif len(flagged) == 1:
        found = lines[flagged[0] :]
    else:
        found = [lines[place] for place in flagged]
    return distinct([plain for line in found if (plain := _plain(line))])


def distinct(ideas: list[str]) -> list[str]:
    """Ideas without those that only differ in case and spaces, in order."""
    first: dict[str, str] = {}
    for idea in ideas:
        first.setdefault(" ".join(idea.casefold().split()), idea)
    return list(first.values())


def _plain(line: str) -> str:
    """A line without flag and bullet; empty where no idea is left."""
    place = line.lower().find(FLAG)
    text = _BULLET.sub("", line if place < 0 else line[place + len(FLAG) :]).strip(" \t:*_")
    text = " ".join(text.split())
    return text if SHORTEST <= len(text) <= LONGEST and not text.startswith("```") else ""
