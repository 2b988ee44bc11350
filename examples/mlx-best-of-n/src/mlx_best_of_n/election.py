"""Who is elected where no score is told: by the policy's votes, and by the drafts' own measures.

A program's hold-out score is its own claim. The highest claim is as likely to be a leak or a lucky
split as a better model, and nobody here can tell. The middle one, of an even number the more modest
of the two, is the claim that most others come near to: to take it guards against the outliers, and
promises nothing more.
"""

from __future__ import annotations

from collections import Counter
from math import isfinite
from statistics import median_high, median_low

from mlxlab.core.actions import CustomAction
from mlxlab.core.records import Direction
from mlxlab.core.tree import Node, TreeView

VOTE = "vote"
"""The operator of a step that casts one vote."""
ACTION = "best_of_n_vote"
"""The action of such a step; `hooks` says what is done about it: nothing."""
BALLOT = "ballot"
"""Where such a step's `Decision.extra` lists the numbers of the drafts to choose from."""


def candidates(tree: TreeView) -> list[Node]:
    """The drafts that left a valid submission."""
    return [node for node in tree.nodes if node.operator == "draft" and node.submitted]


def elected(tree: TreeView) -> Node:
    """The candidate with the most votes; of equals the middle one, then the earliest."""
    valid = candidates(tree)
    votes = Counter(map(_voted, tree.nodes))
    middle = _middle(valid, tree.task.metric.direction)

    def rank(node: Node) -> tuple[int, float, int]:
        measure = _measure(node)
        far = float("inf") if measure is None or middle is None else abs(measure - middle)
        return -votes[node.id], far, node.id

    return min(valid, key=rank)


def latest(tree: TreeView, root: Node) -> Node:
    """The newest valid program that grew out of one: without scores none is known to be better."""
    line = {root.id}
    newest = root
    for node in tree.nodes:
        if node.parent in line and node.submitted:
            line.add(node.id)
            newest = node
    return newest


def _voted(node: Node) -> int | None:
    """The draft that a step voted for; None where it is no vote that was cast."""
    action = node.action
    if node.operator != VOTE or not isinstance(action, CustomAction) or action.name != ACTION:
        return None
    choice = action.arguments.get("elected")
    return choice if isinstance(choice, int) else None


def _measure(node: Node) -> float | None:
    said = node.observation.self_score
    return said if said is not None and isfinite(said) else None


def _middle(nodes: list[Node], direction: Direction) -> float | None:
    said = [measure for node in nodes if (measure := _measure(node)) is not None]
    modest = median_low if direction == "maximize" else median_high
    return modest(said) if said else None
