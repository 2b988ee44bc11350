"""Between text and action: a program with its plan, or a vote with its reason."""

from __future__ import annotations

import re
from collections.abc import Collection

from mlxlab.core.actions import Action, CustomAction, RunCode
from mlxlab.core.fences import escaped, fenced, read, unescaped
from mlxlab.core.records import Message
from mlxlab.core.scaffold import Ask

from mlx_best_of_n.election import ACTION

_VOTE = re.compile(r"^[\s*_#>-]*vote[\s*_]*:[\s*_]*(?:draft\s*)?#?(\d{1,9})\b", re.I | re.M)
_AGAIN = "Send the plan and exactly one fenced Python block with the whole program."


def program(text: str) -> RunCode | Ask:
    """The one program of an answer, or what to ask for instead."""
    answer = read(text)
    programs = [block for block in answer.blocks if block.error is None]
    if len(programs) != 1:
        return _ask(f"The answer holds {len(programs)} Python programs, not one.", _AGAIN)
    plan = unescaped(answer.text[answer.begin : programs[0].start])
    return RunCode(code=programs[0].code, plan=plan.removesuffix("\n\n"))


def vote(text: str, ballot: Collection[int]) -> CustomAction | Ask:
    """The draft that an answer votes for, or what to ask for instead."""
    answer = read(text)
    found = {int(number) for number in _VOTE.findall(answer.text[answer.begin :])}
    if len(found) == 1 and found <= set(ballot):
        return CustomAction(name=ACTION, arguments={"elected": found.pop()})
    choices = ", ".join(map(str, ballot))
    reason = f"The answer votes for {len(found)} drafts, not for one of {choices}."
    return _ask(reason, f"Send one line `Vote: N`, where N is one of {choices}, and the reason.")


def render(action: Action) -> str:
    """An action as text; one that cannot be said becomes a text that is asked about."""
    if isinstance(action, CustomAction) and action.name == ACTION:
        return f"Vote: {action.arguments.get('elected')}\n"
    if not isinstance(action, RunCode):
        return fenced(action.model_dump_json(), "json")
    plan = f"{escaped(action.plan)}\n\n" if action.plan else ""
    return f"{plan}{fenced(action.code, 'python')}\n"


def _ask(reason: str, again: str) -> Ask:
    return Ask(messages=(Message(role="user", content=f"{reason} {again}"),), reason=reason)
