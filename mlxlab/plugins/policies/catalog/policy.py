"""The `catalog` policy: classical models instead of a language model."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any, ClassVar

from mlxlab.core.actions import Action, RunCode
from mlxlab.core.errors import PolicyError
from mlxlab.core.policy import PolicyRequest, Price
from mlxlab.core.records import Completion, Usage
from mlxlab.plugins.policies.catalog import chain
from mlxlab.plugins.policies.catalog.drafts import draft, plain_part
from mlxlab.plugins.policies.catalog.helper import excerpt, rewritten
from mlxlab.plugins.policies.catalog.memory import Memory, read
from mlxlab.plugins.policies.catalog.moves import improve
from mlxlab.plugins.policies.catalog.problem import Problem, understand
from mlxlab.plugins.policies.catalog.recipe import Recipe, write
from mlxlab.plugins.policies.catalog.repair import repair
from mlxlab.plugins.policies.catalog.saying import sentence
from mlxlab.plugins.policies.catalog.script import program


class Catalog:
    """No language model: scikit-learn families and one change at a time.

    It is the floor that a language model must beat: it knows what every textbook knows, looks
    at no data, understands no error message, and never has an idea. It is free, needs no
    network, and answers the same request with the same program, since what was tried before is
    read from the request's messages and every draw comes from the request's seed.
    """

    conformance: ClassVar[Mapping[str, Any]] = {"seeded": True}

    async def act(self, request: PolicyRequest) -> Completion:
        """Answer with an action, or as the run's editor with a text.

        Raises:
            PolicyError: neither whole programs nor edits of a script are allowed.
        """
        problem = understand(request.task, request.decision.limits.wall_s)
        if request.role == "editor":
            return _completion(text=rewritten(request, problem))
        if request.role == "summary":
            return _completion(text=excerpt(request))
        allowed = request.decision.allowed
        if "run_code" in allowed:
            return _completion(action=_whole_program(request, problem))
        if set(allowed) >= chain.NEEDED:
            return _completion(action=chain.act(request, problem))
        raise PolicyError(
            "The policy 'catalog' writes whole programs or has one script edited, which this "
            "scaffold does not take.",
            "Use a scaffold that allows run_code, such as aide, or edit_script, such as linear.",
        )

    def bound(self, request: PolicyRequest) -> tuple[int, int]:
        """No tokens: nobody is asked."""
        return 0, 0

    async def price(self) -> Price:
        """Nothing."""
        return Price()

    async def close(self) -> None:
        """Nothing is held."""


def _completion(text: str = "", action: Action | None = None) -> Completion:
    return Completion(
        text=text,
        action=action,
        usage=Usage(prompt_tokens=0, completion_tokens=0, reasoning_tokens=0),
        cost_usd=0.0,
        model="catalog",
        finish_reason="stop",
    )


def _whole_program(request: PolicyRequest, problem: Problem) -> RunCode:
    memory = read(request.messages)
    says, recipe = choose(request.decision.operator, problem, memory, Random(request.seed))
    plan = f"{sentence(says)} recipe: {write(recipe)}"
    return RunCode(code=program(recipe, problem), plan=plan)


def choose(operator: str, problem: Problem, memory: Memory, rng: Random) -> tuple[str, Recipe]:
    """What to say and what to run; without a program to change, a draft."""
    if operator == "debug" and memory.parent is not None:
        return repair(memory.parent, problem, memory, rng)
    if operator != "draft" and memory.parent is not None:
        move = improve(memory.parent, problem, memory, rng)
        if move is not None:
            return move.says, move.recipe
    recipe = draft(problem, memory.families, memory.notations, rng)
    usual = plain_part(recipe.parts[0].family, problem).params
    how = "the usual" if recipe.parts[0].params == usual else "varied"
    return f"{recipe.parts[0].main} with {how} settings", recipe
