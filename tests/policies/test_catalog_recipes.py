"""Recipes, their notation, and the moves between them."""

from __future__ import annotations

import ast
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from mlxlab.plugins.policies.catalog.drafts import draft, usable, varied
from mlxlab.plugins.policies.catalog.families import FAMILIES
from mlxlab.plugins.policies.catalog.memory import Memory, Tried
from mlxlab.plugins.policies.catalog.moves import GROUPS, improve, moves
from mlxlab.plugins.policies.catalog.problem import understand
from mlxlab.plugins.policies.catalog.recipe import Part, Recipe, find, in_code, write
from mlxlab.plugins.policies.catalog.repair import repair
from mlxlab.plugins.policies.catalog.script import program

from . import catalog_tasks as made

METRICS = ["accuracy", "auc", "log_loss", "f1_macro", "rmse", "mae", "rmsle", "r2", "weird"]


@st.composite
def problems(draw: st.DrawFn):
    metric = draw(st.sampled_from(METRICS))
    names = st.lists(st.text(min_size=1), min_size=1, max_size=3, unique=True)
    targets = tuple(draw(names))
    image = draw(st.booleans())
    task = made.info(metric, targets, targets, draw(st.integers(5, 10**6))).model_copy(
        update={
            "title": draw(st.text()),
            "modality": "image" if image else "tabular",
            "files": ("train_images.npy",) if image else (),
            "description": draw(st.sampled_from(["", "yyyy-mm-dd", "free text, missing"])),
        }
    )
    return understand(task, draw(st.floats(1, 600)))


@st.composite
def walks(draw: st.DrawFn):
    """A problem, a recipe reached by random moves from a draft, and what was tried."""
    problem = draw(problems())
    rng = Random(draw(st.integers()))
    start = draft(problem, (), (), rng)
    tried = [Tried(start, 0.5)]
    recipe = start
    for _ in range(draw(st.integers(0, 6))):
        move = improve(recipe, problem, Memory(tuple(tried), recipe, False), rng)
        if move is None:
            break
        recipe = move.recipe
        tried.append(Tried(recipe, rng.random()))
    return problem, recipe, Memory(tuple(tried), recipe, False), rng


@settings(max_examples=150, deadline=None)
@given(walks())
def test_every_reachable_recipe_is_a_program_that_names_it(walk) -> None:
    problem, recipe, _, _ = walk
    code = program(recipe, problem)
    ast.parse(code)
    assert in_code(code) == recipe
    assert Recipe.model_validate_json(write(recipe)) == recipe
    assert [found for _, found in find(f"Some plan. recipe: {write(recipe)}, so")] == [recipe]


@settings(max_examples=60, deadline=None)
@given(walks())
def test_every_move_is_a_new_valid_recipe(walk) -> None:
    problem, recipe, memory, rng = walk
    for move in moves(recipe, problem, memory):
        assert Recipe.model_validate_json(write(move.recipe)) == move.recipe
        assert move.group in GROUPS and move.weight > 0 and move.says
        assert set(move.recipe.families) <= set(usable(problem))
    move = improve(recipe, problem, memory, rng)
    assert move is None or write(move.recipe) not in memory.notations


@settings(max_examples=100, deadline=None)
@given(walks(), st.booleans())
def test_repairs_end_with_another_family(walk, too_much: bool) -> None:
    problem, recipe, memory, rng = walk
    memory = Memory(memory.tried, recipe, too_much)
    for _ in range(4):
        before = recipe
        says, recipe = repair(recipe, problem, memory, rng)
        assert Recipe.model_validate_json(write(recipe)) == recipe and says
        ast.parse(program(recipe, problem))
        assert recipe != before
        if recipe.simpler == 0:
            return
    raise AssertionError("it never gave up")


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(sorted(FAMILIES)), st.integers(), st.sampled_from(METRICS))
def test_varied_settings_are_on_the_ladders(family: str, seed: int, metric: str) -> None:
    problem = understand(made.info(metric), 60)
    part = varied(Part(family=family), problem, Random(seed))
    assert Part.model_validate(part.model_dump()) == part


@given(st.text())
def test_whatever_stands_behind_the_mark_is_read_or_passed_over(text: str) -> None:
    assert list(find("recipe: {" + text)) == []
    assert in_code("# recipe: {" + text) is None


def test_settings_from_elsewhere_never_become_code() -> None:
    for params in ('{"C":"__import__(1)"}', '{"C":true}', '{"C":1.5}', '{"x":1}', '{"C":[1]}'):
        text = f'# recipe: {{"parts":[{{"family":"linear","params":{params}}}]}}'
        assert in_code(text) is None
    assert in_code('# recipe: {"parts":[{"family":"os.system"}]}') is None


def test_drafts_are_different_families_before_they_are_variations() -> None:
    problem = understand(made.info("auc"), 60)
    seen: list[str] = []
    for seed in range(len(usable(problem))):
        recipe = draft(problem, seen, (), Random(seed))
        assert recipe.parts[0].family not in seen and not recipe.parts[0].params
        seen += recipe.families
    assert len(seen) >= 12
    more = draft(problem, seen, (), Random(0))
    assert more.parts[0].params
