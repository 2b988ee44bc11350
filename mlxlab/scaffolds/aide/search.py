"""Which node to grow: the search policy of AIDE 0.2.2."""

from __future__ import annotations

from random import Random

from mlxlab.core.tree import Node, TreeView
from mlxlab.scaffolds.aide.config import AideConfig


def choose(tree: TreeView, rng: Random, config: AideConfig) -> tuple[str, Node | None]:
    """The operator to apply and the node to apply it to.

    With nothing in flight this is the published policy, draw for draw. With several workers, a
    root in flight counts as a draft, and a failed leaf that is being debugged is no leaf any more.
    """
    parents = [node.parent for node in tree.nodes] + [d.parent for d in tree.in_flight]
    if parents.count(None) < config.num_drafts:
        return "draft", None
    if rng.random() < config.debug_prob:
        leaves = [node for node in tree.nodes if buggy(node) and node.id not in parents]
        shallow = [node for node in leaves if debug_depth(tree, node) <= config.max_debug_depth]
        if shallow:
            return "debug", rng.choice(shallow)
    best = tree.best()
    return ("improve", best) if best else ("draft", None)


def buggy(node: Node) -> bool:
    """Whether a node failed, or has no score to compare it by."""
    return node.status != "ok" or node.score is None


def debug_depth(tree: TreeView, node: Node) -> int:
    """How many debugging steps in a row led to a node."""
    return len(debug_chain(tree, node))


def debug_chain(tree: TreeView, node: Node) -> list[Node]:
    """The failed ancestors that debugging steps led from, the nearest first."""
    chain: list[Node] = []
    parent = tree.by_id.get(node.parent) if node.parent is not None else None
    while parent is not None and buggy(parent):
        chain.append(parent)
        parent = tree.by_id.get(parent.parent) if parent.parent is not None else None
    return chain
