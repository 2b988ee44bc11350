"""Debugging: a program that failed is made simpler, and smaller if it took too much."""

from __future__ import annotations

from random import Random

from mlxlab.plugins.policies.catalog.drafts import draft, plain_part
from mlxlab.plugins.policies.catalog.memory import Memory
from mlxlab.plugins.policies.catalog.problem import Problem
from mlxlab.plugins.policies.catalog.recipe import Recipe

_GIVEN_UP_AFTER = 2


def repair(recipe: Recipe, problem: Problem, memory: Memory, rng: Random) -> tuple[str, Recipe]:
    """What to say and what to run next; after two failed repairs, something else."""
    if recipe.simpler >= _GIVEN_UP_AFTER:
        return "the failed approach given up for another", draft(
            problem, memory.families, memory.notations, rng
        )
    update = {"simpler": recipe.simpler + 1}
    if memory.too_much:
        parts = (recipe.parts[0].model_copy(update={"params": {}, "shape": "plain"}),)
        rows = 500 if recipe.rows else 2000
        small = {"parts": parts, "rows": rows, "shift": 0, "pairs": False, "combine": "mean"}
        return "one model on fewer rows", recipe.model_copy(update=update | small)
    plain = plain_part(recipe.parts[0].family, problem)
    if not problem.image:
        plain = plain.model_copy(update={"encode": "ordinal", "text": "lengths"})
    return "one model with the plainest columns", Recipe(parts=(plain,), **update)
