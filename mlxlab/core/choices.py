"""What a scaffold chose and wrote, checked: anybody may have written it."""

from __future__ import annotations

from collections.abc import Sequence

from mlxlab.core.boundary import MOST_TEXT, Boundary, cause_of, number_problem, whole
from mlxlab.core.errors import PluginError, broken
from mlxlab.core.jsonl import as_json
from mlxlab.core.records import Decision, Message
from mlxlab.core.scaffold import Stop, Wait


def choice_of(who: str, choice: object, step: int) -> Decision | Wait | Stop:
    """What `propose` returned; raises PluginError where it is no choice for this step."""
    if not isinstance(choice, Decision | Wait | Stop):
        kind = type(choice).__name__
        problem = f"proposed a {kind}, no Decision (tree.decide(...)), Wait or Stop"
        raise _unproposable(who, problem)
    if isinstance(choice, Decision):
        with Boundary(who, "propose"):
            choice = whole(choice)
        if choice.step != step:
            raise _unproposable(who, f"proposed step {choice.step} where step {step} comes next")
        if choice.parent is not None and not 0 <= choice.parent < step:
            raise _unproposable(who, f"proposed to go on from step {choice.parent}, which is none")
        if problem := number_problem(choice.limits.wall_s):
            raise _unproposable(who, f"proposed a step whose time limit {problem}")
        if choice.extra:
            _keep(who, choice)
    return choice


def messages_of(who: str, found: object) -> Sequence[Message]:
    """The messages of a prompt; raises PluginError where they are none, or too long."""
    if not isinstance(found, list | tuple) or not found:
        raise broken(who, "prompt", f"returned {_described(found)}, no list of messages")
    for each in found:
        if not isinstance(each, Message) or not isinstance(getattr(each, "content", None), str):
            raise broken(who, "prompt", f"returned {_described(each)} as a message")
    with Boundary(who, "prompt"):
        found = [whole(message) for message in found]
    length = sum(len(message.content) for message in found)
    _refuse_longer(who, "prompt", length)
    return found


def text_of(who: str, where: str, found: object) -> str:
    """A text that a scaffold wrote; raises PluginError where it is none, or too long."""
    if not isinstance(found, str):
        raise broken(who, where, f"returned {_described(found)}, no text")
    _refuse_longer(who, where, len(found))
    return found


def _keep(who: str, decision: Decision) -> None:
    """Refuse an `extra` that no record can hold."""
    try:
        length = len(as_json(decision))
    except Exception as error:
        raise PluginError(f"{who}: extra cannot be recorded: {cause_of(error)}.") from error
    _refuse_longer(who, "extra", length)


def _refuse_longer(who: str, where: str, length: int) -> None:
    if length > MOST_TEXT:
        raise broken(who, where, f"returned {length} characters; at most {MOST_TEXT} are kept")


def _unproposable(who: str, problem: str) -> PluginError:
    return PluginError(f"{who} {problem}.", owner=who, call="propose")


def _described(found: object) -> str:
    empty = isinstance(found, list | tuple) and not found
    return f"an empty {type(found).__name__}" if empty else type(found).__name__
