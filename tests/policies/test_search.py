"""The searches over listed actions: what they draw, from what, and that they need a listing."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import mlxlab
from mlxlab.core.actions import RunCode
from mlxlab.core.errors import PolicyError, UsageError
from mlxlab.core.hooks import Hooks
from mlxlab.core.launch import RunOptions, new_run, plan_run, resumed_run
from mlxlab.core.policy import Bounded, Policy, PolicyRequest, Price, Priced
from mlxlab.core.records import Completion, ComponentRef, Decision
from mlxlab.core.runs import RunFolder
from mlxlab.core.scaffold import TRIED
from mlxlab.core.task import MetricInfo, SubmissionContract, TaskInfo
from mlxlab.plugins.policies.search import Climb, ClimbConfig, RandomSearch, RandomSearchConfig
from mlxlab.plugins.policies.search.advice import FLAG

LINEAR = '{"model":"linear","strength":1,"scale":"standard","columns":"all","weights":"plain"}'
FOREST = '{"model":"forest","trees":40,"depth":8,"encode":"onehot","weights":"plain"}'
SEEDS = 80
PLAIN = {"linear", "tree", "knn"}
HABIT = {"linear", "tree", "forest", "boost", "extra"}
TASK = TaskInfo(
    id="toy",
    title="Toy",
    description="Predict y.",
    metric=MetricInfo(name="auc", direction="maximize", low=0, high=1),
    submission=SubmissionContract(id_column="id", columns=("y",), rows=9),
    target=("y",),
    files=("train.csv", "test.csv", "sample_submission.csv"),
    train_rows=90,
    public_rows=4,
    private_rows=5,
    data_hash="0",
)
PROBLEM = {
    "kind": "classification",
    "output": "chances",
    "train": "train.csv",
    "test": "test.csv",
    "id": "id",
    "targets": ["y"],
    "columns": ["y"],
    "path": "submission.csv",
}


def request(
    *tried: tuple[str, float | None], seed: int = 0, spec: str = "recipe", **fields: Any
) -> PolicyRequest:
    """What is asked after some recipes; `fields` are of the request, or `ideas` of the task."""
    decision = Decision(
        step=len(tried),
        operator="improve",
        scaffold=ComponentRef(kind="scaffold", name=spec, spec=spec),
        task=TASK.id,
        data_hash="0",
        sandbox="local",
        feedback="public",
        seed=0,
        extra={"problem": PROBLEM, TRIED: [list(pair) for pair in tried]},
    )
    task = TASK.model_copy(update={"ideas": fields.pop("ideas", ())})
    values = {"messages": (), "decision": decision, "task": task, "seed": seed}
    return PolicyRequest(**values | fields)


def answer(policy: Policy, asked: PolicyRequest) -> Completion:
    return asyncio.run(policy.act(asked))


def drawn(policy: Policy, *tried: tuple[str, float | None], **more: Any) -> list[dict[str, Any]]:
    """The recipes of many seeds."""
    asked = [request(*tried, seed=seed, **more) for seed in range(SEEDS)]
    return [json.loads(answer(policy, one).text) for one in asked]


def climb(**options: Any) -> Climb:
    return Climb(ClimbConfig(**options))


@pytest.mark.parametrize("policy", [climb(), RandomSearch(RandomSearchConfig())])
def test_an_answer_is_an_action_its_text_and_free(policy: Policy) -> None:
    assert isinstance(policy, Policy)
    assert isinstance(policy, Priced) and asyncio.run(policy.price()) == Price()
    assert isinstance(policy, Bounded) and policy.bound(request()) == (0, 0)
    first = answer(policy, request((LINEAR, 0.6), seed=4))
    assert isinstance(first.action, RunCode) and first.action.plan == first.text
    assert first.cost_usd == 0 and first.usage.completion_tokens == 0
    assert first == answer(policy, request((LINEAR, 0.6), seed=4))


def test_random_draws_from_everything_evenly() -> None:
    found = Counter(recipe["model"] for recipe in drawn(RandomSearch(RandomSearchConfig())))
    assert len(found) >= 8 and found["linear"] < SEEDS / 2
    assert not {"search", "kernel"} & set(found)


def test_random_avoids_what_was_tried_where_it_is_told_to() -> None:
    every = {json.dumps(r, separators=(",", ":")) for r in drawn(RandomSearch(_once(False)))}
    tried = [(text, 0.5) for text in every]
    again = drawn(RandomSearch(_once(True)), *tried)
    fresh = drawn(RandomSearch(_once(False)), *tried)
    said = [{json.dumps(r, separators=(",", ":")) for r in recipes} for recipes in (again, fresh)]
    assert said[0] & every and not said[1] & every


def _once(repeat: bool) -> RandomSearchConfig:
    return RandomSearchConfig(repeat=repeat)


def test_climb_starts_plainly_and_stays_with_its_habit() -> None:
    policy = climb(epsilon=0)
    assert {recipe["model"] for recipe in drawn(policy)} == PLAIN
    later = {recipe["model"] for recipe in drawn(policy, (LINEAR, 0.7))}
    assert later == HABIT


def test_climb_changes_the_best_in_one_setting() -> None:
    policy = climb(explore=0, epsilon=0)
    best = json.loads(FOREST)
    for recipe in drawn(policy, (LINEAR, 0.6), (FOREST, 0.7), (LINEAR.replace("1", "10"), None)):
        assert sum(recipe[key] != best[key] for key in best) == 1
    lower = TASK.metric.model_copy(update={"direction": "minimize"})
    asked = request((LINEAR, 0.6), (FOREST, 0.7))
    asked = asked.model_copy(update={"task": TASK.model_copy(update={"metric": lower})})
    assert json.loads(answer(policy, asked).text)["model"] == "linear"


def test_climb_goes_on_where_nothing_has_a_score() -> None:
    recipes = drawn(climb(epsilon=0), (LINEAR, None))
    assert {recipe["model"] for recipe in recipes} == PLAIN - {"linear"}


def test_epsilon_reaches_everything() -> None:
    assert len({r["model"] for r in drawn(climb(epsilon=1), (LINEAR, 0.5))} - HABIT) >= 3


@pytest.mark.parametrize(
    ("idea", "wanted"),
    [
        ("Use an SVM with quantile scaling.", {"model": "svm", "scale": "quantile"}),
        ("Random forests of 40 trees, please.", {"model": "forest", "trees": 40}),
        ("A small neural network of 64 units", {"model": "mlp", "units": 64}),
        ("boosted trees at a learning rate of 0.3", {"model": "boost", "rate": 0.3}),
        ("Perhaps naive Bayes?", {"model": "bayes"}),
    ],
)
def test_ideas_come_first(idea: str, wanted: dict[str, Any]) -> None:
    for recipe in drawn(climb(), ideas=(idea,)):
        assert wanted.items() <= recipe.items()
    deaf = {recipe["model"] for recipe in drawn(climb(ideas=False, epsilon=0), ideas=(idea,))}
    assert deaf == PLAIN


def test_an_idea_is_followed_once_and_in_turn() -> None:
    ideas = "Try naive Bayes.", "The moon is full.", "Nearest neighbours, with k of 30."
    bayes = '{"model":"bayes","smooth":0,"scale":"standard","columns":"all"}'
    knn = '{"model":"knn","k":30,"scale":"standard","columns":"all"}'
    second = drawn(climb(epsilon=0), (bayes, 0.5), ideas=ideas)
    assert {(recipe["model"], recipe["k"]) for recipe in second} == {("knn", 30)}
    third = drawn(climb(epsilon=0, explore=1), (bayes, 0.5), (knn, 0.5), ideas=ideas)
    assert {recipe["model"] for recipe in third} == HABIT


def test_advice_is_distinct_and_understood_again() -> None:
    asked = request(seed=3)
    decision = asked.decision.model_copy(
        update={"operator": "ideas", "allowed": (), "extra": {"count": 100}}
    )
    asked = asked.model_copy(update={"decision": decision})
    lines = answer(climb(), asked).text.split("\n")
    assert len(set(lines)) == 100 and lines == answer(climb(), asked).text.split("\n")
    families = set()
    for line in lines:
        assert line.startswith(f"{FLAG} ") and line.endswith(".")
        idea = line.removeprefix(f"{FLAG} ")
        followed = [
            json.loads(answer(climb(), request(seed=seed, ideas=(idea,))).text) for seed in range(3)
        ]
        assert len({recipe["model"] for recipe in followed}) == 1, idea
        families.add(followed[0]["model"])
    assert len(families) >= 9


def test_a_scaffold_without_a_listing_is_refused_in_one_line() -> None:
    with pytest.raises(PolicyError, match="'aide' lists none"):
        answer(climb(), request(spec="aide"))
    with pytest.raises(PolicyError, match="cannot make the scaffold"):
        answer(climb(), request(spec="nonsense"))
    with pytest.raises(PolicyError, match="Name an editor with --editor"):
        answer(climb(), request(role="editor"))
    nothing = request().decision.model_copy(update={"extra": {}})
    with pytest.raises(PolicyError, match="lists no action"):
        answer(climb(), request().model_copy(update={"decision": nothing}))


@pytest.mark.parametrize("policy", ["random", "climb"])
def test_a_scaffold_without_a_listing_is_refused_before_a_run_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, policy: str
) -> None:
    asked = RunOptions(task="temperature", policy=policy, steps=1, out=tmp_path / "runs")
    with pytest.raises(UsageError, match=f"'{policy}' chooses .* 'aide' lists none.*recipe"):
        plan_run(asked)
    assert not (tmp_path / "runs").exists()
    # So early runs were begun, which say that they can be resumed.
    with monkeypatch.context() as patch:
        patch.setattr("mlxlab.core.planning.refuse_unlisted", lambda components: None)
        folder = new_run(asked, Hooks())._writer
        folder.close()
    with pytest.raises(UsageError, match="lists none"):
        resumed_run(RunFolder(folder.path), Hooks())


def test_a_climb_improves_in_the_sandbox(tmp_path: Path) -> None:
    run = mlxlab.run(
        "temperature", scaffold="recipe", policy="climb", steps=5, seed=2, out=tmp_path
    )
    steps = list(RunFolder(run.folder).steps())
    assert {step.observation.status for step in steps} == {"ok"}
    assert len({step.completion.text for step in steps if step.completion}) == 5
    scores = [step.observation.public_score or 99.0 for step in steps]
    assert min(scores[1:]) < scores[0]
