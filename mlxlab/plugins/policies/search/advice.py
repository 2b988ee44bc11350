"""Advice in plain sentences, for exploration: each made from one listed action."""

from __future__ import annotations

from random import Random

from mlxlab.core.policy import PolicyRequest
from mlxlab.core.records import Decision
from mlxlab.core.sandbox import Packages
from mlxlab.core.scaffold import Scaffold
from mlxlab.core.tree import RunContext, TreeView
from mlxlab.plugins.policies.search.choices import Choice, Choices, listing
from mlxlab.plugins.policies.search.words import phrases

OPERATOR = "ideas"
COUNT = "count"
FLAG = "[advice]"
"""What each line of advice begins with."""
_DEFAULT = 10
_MOST = 10_000

_OPENINGS = ("Try a", "Fit a", "Consider a", "Give a chance to a", "Start from a", "Compare with a")
_LINKS = (" with ", ", using ")
_SILENT = frozenset({"plain", "all"})
"""Values that nobody would mention."""


def asks_for_advice(request: PolicyRequest) -> bool:
    """Whether pieces of advice are wanted and no action."""
    return request.decision.operator == OPERATOR


def advice(policy: str, request: PolicyRequest) -> str:
    """As many distinct lines as are asked for, or as there are; drawn by the request's seed."""
    wanted = request.decision.extra.get(COUNT)
    count = min(wanted, _MOST) if isinstance(wanted, int) else _DEFAULT
    families, rng = _families(policy, request), Random(request.seed)
    lines: dict[str, None] = {}
    for _ in range(20 * count):
        if len(lines) >= count:
            break
        choice = rng.choice(rng.choice(families))
        lines[f"{FLAG} {_sentence(choice, rng)}"] = None
    return "\n".join(lines)


def _families(policy: str, request: PolicyRequest) -> list[list[Choice]]:
    """The actions that the scaffold would list at a run's first decision, by model family."""
    scaffold = listing(policy, request.decision.scaffold.spec)
    assert isinstance(scaffold, Scaffold)
    asked = request.decision
    context = RunContext(
        scaffold=asked.scaffold,
        sandbox=asked.sandbox,
        feedback=asked.feedback,
        seed=asked.seed,
        limits=asked.limits,
    )
    unknown = Packages(python="", versions={}, cores=1, memory_bytes=0)
    first = scaffold.propose(TreeView(request.task, context, unknown), Random(0))
    decision = first if isinstance(first, Decision) else asked
    found: dict[str, list[Choice]] = {}
    for choice in Choices(scaffold, decision, request.task).all:
        found.setdefault(choice.family, []).append(choice)
    return list(found.values())


def _sentence(choice: Choice, rng: Random) -> str:
    """One sentence that names the family and some of the settings, in varied words."""
    if not choice.settings:
        return f"Try {choice.text}."
    key, family = next(iter(choice.settings.items()))
    told = [
        rng.choice(phrases(key, value))
        for key, value in list(choice.settings.items())[1:]
        if value not in _SILENT
    ]
    told = rng.sample(told, rng.randint(min(1, len(told)), min(3, len(told))))
    model = rng.choice(phrases(key, family))
    opening = _opening(model, rng)
    return f"{opening} {model}{rng.choice(_LINKS) if told else ''}{_listed(told)}."


def _opening(model: str, rng: Random) -> str:
    opening = rng.choice(_OPENINGS)
    return f"{opening}n" if model[0] in "aeiou" else opening


def _listed(parts: list[str]) -> str:
    return " and ".join(", ".join(parts).rsplit(", ", 1)) if len(parts) > 1 else "".join(parts)
