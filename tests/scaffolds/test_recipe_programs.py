"""The programs of recipes, run: on odd tables in this process, on real tasks in the sandbox."""

from __future__ import annotations

import json
import runpy
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import mlxlab
from mlxlab.core.actions import RunCode
from mlxlab.core.policy import PolicyRequest
from mlxlab.core.records import Completion
from mlxlab.core.runs import RunFolder
from mlxlab.scaffolds.recipe.problem import Problem
from mlxlab.scaffolds.recipe.program import program
from mlxlab.scaffolds.recipe.space import Kind, Recipe, listed
from mlxlab.testing import ScriptedPolicy
from tests.policies import catalog_tasks as made

METRICS = {"labels": "accuracy", "chances": "auc", "numbers": "rmse"}


def problem(output: str, **changes: object) -> Problem:
    kind = "regression" if output == "numbers" else "classification"
    values = {
        "kind": kind,
        "output": output,
        "train": "train.csv",
        "test": "test.csv",
        "id": "id",
        "targets": ("y",),
        "columns": ("y",),
        "path": "submission.csv",
        "sample": "sample_submission.csv",
    }
    return Problem.model_validate(values | changes)


def run(folder: Path, recipe: Recipe, given: Problem, rows: int = 4000) -> pd.DataFrame:
    """The submission that a recipe's program leaves, as texts."""
    (folder / "solution.py").write_text(program(recipe, given, rows), encoding="utf-8")
    with made.inside(folder), warnings.catch_warnings():
        runpy.run_path("solution.py", run_name="__main__")
    return pd.read_csv(folder / "submission.csv", dtype=str, keep_default_na=False)


def one_of_each(kind: Kind) -> list[Recipe]:
    """For each family the recipes that have every value of every setting among them."""
    chosen: list[Recipe] = []
    seen: set[tuple[object, ...]] = set()
    for recipe in listed(kind):
        new = {(recipe["model"], key, value) for key, value in recipe.items()} - seen
        if new:
            chosen.append(recipe)
            seen |= new
    return chosen


@pytest.mark.parametrize(
    ("output", "target"),
    [("labels", "codes"), ("chances", "words"), ("numbers", "positive")],
)
def test_every_setting_fits_any_kind_of_column(tmp_path: Path, output: str, target: str) -> None:
    train = made.table(tmp_path, target)
    given = problem(output)
    for recipe in one_of_each(given.kind):
        said = run(tmp_path, recipe, given)
        assert list(said) == ["id", "y"] and len(said) == 30, recipe
        assert said["id"].iloc[0].startswith("0"), "an id is a text and keeps its zeros"
        if output == "labels":
            assert set(said["y"]) <= set(train["y"].astype(str)), recipe
        else:
            values = said["y"].astype(float)
            assert np.isfinite(values).all(), recipe
            low, high = (0, 1) if output == "chances" else (train["y"].min(), train["y"].max())
            assert values.between(low - 1e-9, high + 1e-9).all(), recipe


def test_chances_stand_in_the_columns_of_their_classes(tmp_path: Path) -> None:
    train = made.table(tmp_path, "names")
    given = problem("chances", columns=("p_eel", "p_cat", "p_dog"))
    recipe: Recipe = {"model": "constant"}
    said = run(tmp_path, recipe, given).drop(columns="id").astype(float)
    shares = train["y"].value_counts(normalize=True)
    assert np.allclose(said.sum(axis=1), 1)
    assert np.allclose(said.iloc[0], shares[["eel", "cat", "dog"]], atol=0.005)


def test_rows_are_capped_the_same_each_time(tmp_path: Path) -> None:
    made.table(tmp_path, "number")
    recipe: Recipe = {"model": "constant", "value": "mean"}
    given = problem("numbers")
    first, again = (run(tmp_path, recipe, given, rows=50) for _ in range(2))
    assert first.equals(again)
    assert not first.equals(run(tmp_path, recipe, given))


def test_tables_without_columns_in_common_leave_the_constant(tmp_path: Path) -> None:
    train = pd.DataFrame({"id": range(60), "y": np.arange(60) % 2, "seen": 1.0})
    made.write(tmp_path, train, pd.DataFrame({"id": range(60, 70), "new": 2.0}))
    recipe: Recipe = {"model": "tree", "depth": 4, "encode": "onehot", "weights": "balanced"}
    assert len(run(tmp_path, recipe, problem("labels"))) == 10


def test_ids_that_only_the_sample_has_are_those_of_the_sample(tmp_path: Path) -> None:
    made.table(tmp_path, "number")
    test = tmp_path / "input/test.csv"
    pd.read_csv(test).rename(columns={"id": "other"}).to_csv(test, index=False)
    said = run(tmp_path, {"model": "constant", "value": "median"}, problem("numbers"))
    sample = pd.read_csv(tmp_path / "input/sample_submission.csv", dtype=str)
    assert said["id"].tolist() == sample["id"].tolist()


def test_images_are_read_beside_their_rows(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    label = np.arange(80) % 2
    images = rng.integers(0, 50, (90, 21, 22)).astype(np.uint8)
    images[:80][label == 1] += 100
    images[80:85] += 100
    train = pd.DataFrame({"id": range(80), "y": label})
    made.write(tmp_path, train, pd.DataFrame({"id": range(80, 90)}))
    np.save(tmp_path / "input/train_images.npy", images[:80])
    np.save(tmp_path / "input/test_images.npy", images[80:])
    given = problem("labels", images=("train_images.npy", "test_images.npy"))
    knn: Recipe = {"model": "knn", "k": 3, "scale": "standard", "columns": "all"}
    assert run(tmp_path, knn, given, rows=60)["y"].tolist() == ["1"] * 5 + ["0"] * 5


@pytest.mark.parametrize("task", ["loans", "temperature", "savers", "terrain"])
def test_programs_hand_in_on_builtin_tasks(tmp_path: Path, task: str) -> None:
    run = mlxlab.run(
        task,
        scaffold="recipe?explain=false",
        policy="random?repeat=false",
        steps=3,
        seed=1,
        out=tmp_path,
    )
    steps = list(RunFolder(run.folder).steps())
    assert [step.observation.status for step in steps] == ["ok"] * 3
    assert all(step.observation.public_score is not None for step in steps)
    for step in steps:
        assert isinstance(step.action, RunCode) and step.completion is not None
        assert step.completion.text == step.action.plan


ANSWERS = [
    '{"model":"tree","depth":4,"encode":"ordinal","target":"plain"}',
    '{"do":"inspect"}',
    '{"model":"tree","depth":4}',
    '{"model":"kernel","points":200000}',
    '{"model":"search","trials":1000000}',
    '{"model":"linear","strength":1,"scale":"poly","columns":"all","target":"plain"}',
]


def test_every_branch_of_the_reward_is_reached(tmp_path: Path) -> None:
    def answer(request: PolicyRequest) -> Completion:
        return Completion(text=ANSWERS[request.decision.step], model="script", cost_usd=0.0)

    done = mlxlab.run(
        "temperature",
        scaffold="recipe",
        policy=ScriptedPolicy(answer),
        steps=len(ANSWERS),
        exec_timeout=6,
        out=tmp_path,
    )
    folder = RunFolder(done.folder)
    steps = list(folder.steps())
    statuses = [step.observation.status for step in steps]
    assert statuses == ["ok", "ok", "invalid_action", "oom", "timeout", "ok"]
    values = [step.rewards["ml-agent"].value for step in steps]
    assert values[1:5] == [0.5, 0.0, 0.5, 0.5]
    assert values[0] is not None and values[5] is not None and values[5] > 0.5
    assert [step.parent for step in steps] == [None, 0, 0, 0, 0, 0]
    last = folder.prompt(steps[-1].prompt or "")[-1].content
    assert "The training table begins:\nid," in last
    assert f"{ANSWERS[3]} oom" in last and f"{ANSWERS[4]} timeout" in last
    assert json.loads(ANSWERS[0])["model"] in last
