"""What a prompt says about earlier nodes."""

from __future__ import annotations

from mlxlab.core.actions import RunCode
from mlxlab.core.tree import Node, TreeView

PLAN_CHARS = 700
MESSAGE_CHARS = 200

OUTCOMES = {
    "ok": "it ran to its end",
    "error": "it stopped with an error",
    "timeout": "it did not end within the time limit",
    "oom": "it needed more memory than there is",
    "killed": "it was killed",
    "invalid_action": "the answer held no program that could be run",
    "invalid_submission": "its submission has the wrong form",
    "no_submission": "it left no submission",
}


def trimmed(text: str, chars: int) -> str:
    """A text of at most `chars` characters of the original: head and tail, the cut marked."""
    if len(text) <= chars:
        return text
    head, tail = chars - chars // 2, chars // 2
    cut = f"\n[... {len(text) - chars} characters left out ...]\n"
    return text[:head] + cut + text[len(text) - tail :]


def outcome(node: Node) -> str:
    """A node's status in words, with the score that the feedback mode shows."""
    said = OUTCOMES.get(node.status, node.status)
    if node.score is not None:
        return f"{said}; score {number(node.score)}"
    return f"{said}; the submission is valid, no score" if node.status == "ok" else said


def number(score: float) -> str:
    """A score as prompts write it."""
    return f"{score:.6g}"


def plan_of(node: Node) -> str:
    """The plan of a node, on one line."""
    plan = node.action.plan if isinstance(node.action, RunCode) else ""
    words = " ".join(plan.split())
    return f"{words[:PLAN_CHARS]} ..." if len(words) > PLAN_CHARS else words or "none was given"


def memory(tree: TreeView, chars: int) -> str:
    """The earlier attempts within a number of characters; empty if there are none.

    The best comes first, then the newest; whatever does not fit is counted.
    """
    best = tree.best()
    rest = [node for node in reversed(tree.nodes) if node is not best]
    nodes = [best, *rest] if best else rest
    entries: list[str] = []
    for node in nodes:
        entry = _entry(node, best=node is best)
        chars -= len(entry) + 1
        if chars < 0:
            break
        entries.append(entry)
    if left_out := len(nodes) - len(entries):
        entries.append(f"({left_out} more not shown.)")
    return "\n".join(entries)


def _entry(node: Node, best: bool) -> str:
    origin = node.operator if node.parent is None else f"{node.operator} of attempt {node.parent}"
    mark = ", the best so far" if best else ""
    said = " ".join(node.observation.message.split())[:MESSAGE_CHARS]
    why = f" ({said})" if said and node.status != "ok" else ""
    return f"- Attempt {node.id} ({origin}{mark}): {outcome(node)}{why}. Plan: {plan_of(node)}"
