"""The `recipe` scaffold behind core's contracts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from random import Random
from types import MappingProxyType
from typing import ClassVar

from pydantic import ValidationError

from mlxlab.core.actions import Action, ReadFile, RunCode
from mlxlab.core.records import CLEAN, Completion, Decision, Message
from mlxlab.core.sandbox import INPUT
from mlxlab.core.scaffold import TRIED, Ask, Stop, Wait
from mlxlab.core.tree import TreeView
from mlxlab.scaffolds.recipe import notation, prompts, space
from mlxlab.scaffolds.recipe.config import RecipeConfig
from mlxlab.scaffolds.recipe.history import tried
from mlxlab.scaffolds.recipe.problem import Problem, problem
from mlxlab.scaffolds.recipe.program import program
from mlxlab.scaffolds.recipe.space import Recipe, Value

PROBLEM = "problem"
"""Where a decision's `extra` holds the task as programs need it."""
INSPECTED_LINES = 12


class RecipeScaffold:
    """An action is a JSON object that names a model family and each of its settings.

    It is compiled to a whole program that fits on at most `rows` rows and starts from the clean
    workspace; the plan of the recorded action is the recipe in its canonical form, so that equal
    recipes are equal programs. A decision's parent is the best program so far, which a better one
    has to beat. `{"do":"inspect"}` reads the first lines of the training table: a valid action
    that is no edit. Two families are too much on purpose: `search` never ends, `kernel` needs
    more memory than there is. They are valid, and no search is offered them.
    """

    needs_score: ClassVar[bool] = False
    known_gaps: Mapping[str, str] = MappingProxyType(
        {"scaffold.prompts_tell_what_to_hand_in": "the programs that recipes become hand it in"}
    )

    def __init__(self, config: RecipeConfig) -> None:
        self.config = config
        self.max_asks = config.repairs
        if not config.explain:
            untold = {"scaffold.prompts_tell_the_task": "with explain=false the model knows it"}
            self.known_gaps = {**self.known_gaps, **untold}

    def propose(self, tree: TreeView, rng: Random) -> Decision | Wait | Stop:
        """Always one more recipe, from the clean state; `draft` until one has a score."""
        found = problem(tree.task)
        if found is None:
            return Stop(
                reason="The recipe scaffold needs train.csv and test.csv among the task's files "
                "and a table to hand in."
            )
        best = tree.best()
        extra = {PROBLEM: found.model_dump(mode="json"), TRIED: tried(tree)}
        operator = "improve" if best else "draft"
        allowed = ("run_code", "read_file")
        return tree.decide(operator, best, start=CLEAN, allowed=allowed, extra=extra)

    def prompt(self, decision: Decision, tree: TreeView) -> list[Message]:
        """The task's facts and what was tried; before them the grammar where it is explained."""
        found = _problem(decision)
        kind = found.kind if found is not None else "classification"
        return prompts.prompt(tree, kind, self.config)

    def parse(self, decision: Decision, completion: Completion) -> Action | Ask:
        """The program of the one recipe in the completion, or what is wrong with it."""
        found = _problem(decision)
        if found is None:
            return prompts.again("This decision asks for no recipe.")
        try:
            recipe = notation.read(completion.text, found.kind)
        except notation.Unusable as error:
            return prompts.again(str(error))
        return _inspection(found) if notation.DO in recipe else self._action(recipe, found)

    def render(self, decision: Decision, action: Action) -> str:
        """The recipe of an action; one that this scaffold cannot say is text that does nothing."""
        found = _problem(decision)
        if found is not None and action == _inspection(found):
            return notation.written({notation.DO: notation.INSPECT})
        if found is not None and isinstance(action, RunCode):
            recipe = _recipe(action, found)
            if recipe is not None and self._action(recipe, found) == action:
                return notation.written(recipe)
        return f"This is no recipe: {action.type}."

    def actions(self, decision: Decision) -> list[Action]:
        """Every listed recipe, compiled."""
        found = _problem(decision)
        return [] if found is None else self._compiled(space.listed(found.kind), found)

    def near(self, decision: Decision, action: Action) -> list[Action]:
        """The recipes of the same family that differ in one setting."""
        found, recipe = _problem(decision), None
        if found is not None and isinstance(action, RunCode):
            recipe = _recipe(action, found)
        if found is None or recipe is None:
            return []
        return self._compiled(space.near(found.kind, recipe), found)

    def plain(self, decision: Decision) -> list[Action]:
        """A linear model, a small tree and ten neighbours."""
        found = _problem(decision)
        return [] if found is None else self._compiled(space.plain(found.kind), found)

    def _compiled(self, recipes: Iterable[Recipe], found: Problem) -> list[Action]:
        return [self._action(recipe, found) for recipe in recipes]

    def _action(self, recipe: Recipe, found: Problem) -> RunCode:
        return _action(tuple(recipe.items()), found, self.config.rows)


@lru_cache(maxsize=10_000)
def _action(items: tuple[tuple[str, Value], ...], found: Problem, rows: int) -> RunCode:
    """Kept, since a search asks for the same few hundred programs at every step."""
    recipe = dict(items)
    return RunCode(code=program(recipe, found, rows), plan=notation.written(recipe))


def _problem(decision: Decision) -> Problem | None:
    try:
        return Problem.model_validate(decision.extra.get(PROBLEM))
    except ValidationError:
        return None


def _recipe(action: RunCode, found: Problem) -> Recipe | None:
    try:
        return notation.read(action.plan, found.kind)
    except notation.Unusable:
        return None


def _inspection(found: Problem) -> ReadFile:
    return ReadFile(path=f"{INPUT}/{found.train}", last_line=INSPECTED_LINES)
