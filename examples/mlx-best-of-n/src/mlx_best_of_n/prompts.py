"""What each kind of step is told; the same tree has the same prompt."""

from __future__ import annotations

from mlxlab.core.actions import RunCode
from mlxlab.core.facts import facts
from mlxlab.core.fences import fenced
from mlxlab.core.records import Decision, Message
from mlxlab.core.tree import Node, TreeView
from mlxlab.core.wording import data, metric, outcome, submission, task, trimmed

from mlx_best_of_n.election import BALLOT, VOTE

_ROLE = "You are a machine-learning engineer. "
_PROGRAM = (
    "Answer with a plan of two sentences and one fenced Python block with a whole program. It runs "
    "once in an empty folder beside `input/`, measures itself on rows that it was not trained on, "
    "prints that as its last line, `metric: <number>`, and must write "
)
_JURY = (
    "Programs were written for the task below, by people who did not know of each other. You "
    "decide which one is worked on. Answer with a line `Vote: N`, where N is a draft's number, and "
    "the reason in two sentences."
)
_ELECT = (
    "Vote for the draft that will do best on unseen rows. A measure that a program prints is its "
    "own claim: look at how it was come by, and distrust what looks too good."
)
_IMPROVE = "Make one change to this program that you expect to raise its quality on unseen rows."
_TEXT = 40_000
"""Characters of all programs in a prompt together."""
_PRINTED = 2_000


def prompt(decision: Decision, tree: TreeView, drafts: int) -> list[Message]:
    """The rules as the system's message, and all that is known as the user's."""
    system = _JURY if decision.operator == VOTE else f"{_PROGRAM}{submission(tree.task)}"
    parts = [
        task(tree.task),
        metric(tree.task, decision.feedback),
        data(tree.task, 4_000),
        f"{facts(tree.packages, decision.limits, tree.remaining)}\n"
        f"A program has {decision.limits.wall_s:g} seconds.",
        *_told(decision, tree, drafts),
    ]
    return [
        Message(role="system", content=f"{_ROLE}{system}"),
        Message(role="user", content="\n\n".join(part for part in parts if part)),
    ]


def _told(decision: Decision, tree: TreeView, drafts: int) -> list[str]:
    if decision.operator == VOTE:
        ballot = [tree.by_id[number] for number in decision.extra[BALLOT]]
        return [*(_shown(node, "Draft", _TEXT // len(ballot)) for node in ballot), _ELECT]
    if decision.parent is None:
        which = f"Write draft {decision.extra['draft']} of {drafts}."
        return [f"{which} The others are written by people who do not know of yours."]
    parent = tree.by_id[decision.parent]
    tried = [f"Tried before: {outcome(node)}. {_plan(node)}" for node in tree.children(parent)]
    return [*tried, _shown(parent, "Program", _TEXT), _IMPROVE]


def _plan(node: Node) -> str:
    return trimmed(node.action.plan, 300) if isinstance(node.action, RunCode) else ""


def _shown(node: Node, name: str, chars: int) -> str:
    code = node.action.code if isinstance(node.action, RunCode) else node.text
    said = trimmed(node.observation.stdout + node.observation.stderr, _PRINTED)
    program = fenced(trimmed(code, chars), "python")
    return f"{name} {node.id}, {outcome(node)}:\n{program}\nIt printed:\n{fenced(said)}"
