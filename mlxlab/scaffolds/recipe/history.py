"""What was tried before: for searches with its score, for prompts with its outcome."""

from __future__ import annotations

from typing import NamedTuple

from mlxlab.core.actions import RunCode
from mlxlab.core.task import TaskInfo
from mlxlab.core.tree import Node, TreeView

MOST = 50
"""Recipes that a decision remembers: the latest, with the best one in any case."""

Tried = list[list[str | float | None]]


class Line(NamedTuple):
    """One step as a prompt shows it."""

    text: str
    outcome: str
    best: bool = False


def tried(tree: TreeView) -> Tried:
    """The distinct recipes in the order of their last try, each with its score."""
    best = tree.best()
    found: dict[str, float | None] = {}
    for node in tree.nodes:
        if isinstance(node.action, RunCode):
            found.pop(node.action.plan, None)
            found[node.action.plan] = node.score
    recipes = list(found)
    kept = set(recipes[-MOST:])
    if best is not None and isinstance(best.action, RunCode) and len(recipes) > MOST:
        kept = {best.action.plan, *recipes[1 - MOST :]}
    return [[text, found[text]] for text in recipes if text in kept]


def lines(tree: TreeView, most: int) -> list[Line]:
    """At most so many steps in their order: the best ones first of all, then the latest.

    Half of the room, rounded up, is for the best; steps that failed are only among the latest.
    """
    better = 1 if tree.task.metric.direction == "minimize" else -1
    scored = [node for node in tree.nodes if node.submitted and node.score is not None]
    scored.sort(key=lambda node: better * (node.score or 0.0))
    chosen = [node.id for node in scored[: (most + 1) // 2]]
    latest = [node.id for node in reversed(tree.nodes) if node.id not in chosen]
    chosen += latest[: most - len(chosen)]
    best = tree.best()
    return [
        Line(_said(node), outcome(node, tree.task), best is not None and node.id == best.id)
        for node in tree.nodes
        if node.id in chosen
    ]


def outcome(node: Node, info: TaskInfo) -> str:
    """A step's score, else its status in a word."""
    if node.score is not None:
        return skill(node.score, info)
    return node.status


def skill(score: float, info: TaskInfo) -> str:
    """A score in thousandths of the way from the naive submission to a perfect one.

    This is the skill score of forecasting: 0 is naive and 1000 perfect for every metric, task and
    direction, so that a small model can compare tasks. Neither m_init nor m_best is told by it,
    which no agent could know; the score itself is, where a bound or the baseline is missing.
    """
    metric = info.metric
    perfect = metric.high if metric.direction == "maximize" else metric.low
    if perfect is None or info.baseline is None or perfect == info.baseline:
        return f"{score:.4g}"
    share = (score - info.baseline) / (perfect - info.baseline)
    return f"{max(-9999, min(9999, round(1000 * share)))}"


def _said(node: Node) -> str:
    if isinstance(node.action, RunCode):
        return node.action.plan
    return "?" if node.action is None else '{"do":"inspect"}'
