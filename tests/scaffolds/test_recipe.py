"""The recipe scaffold: what it decides, says, reads and lists."""

from __future__ import annotations

import json
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlxlab.core.actions import RunCode
from mlxlab.core.records import Completion, Decision, Feedback
from mlxlab.core.scaffold import TRIED, Ask, Listing, Scaffold, Stop
from mlxlab.scaffolds.recipe import RecipeConfig, RecipeScaffold
from mlxlab.scaffolds.recipe.space import families, listed
from tests.scaffolds.aide_trees import tree
from tests.scaffolds.recipe_trees import BARE, action, decision, grown, info, spread

LINEAR = '{"model":"linear","strength":1,"scale":"standard","columns":"all","weights":"plain"}'
TREE = '{"model":"tree","depth":4,"encode":"ordinal","weights":"plain"}'
KNN = '{"model":"knn","k":10,"scale":"standard","columns":"all"}'
INSPECT = '{"do":"inspect"}'
SEARCH = '{"model":"search","trials":1000000}'
TASKS = {
    "labels": info("accuracy"),
    "chances": info("auc"),
    "spread": spread(),
    "numbers": info("rmse"),
    "images": info("accuracy", files=("train.csv", "test.csv", "train_images.npy",
                                      "test_images.npy")),
}  # fmt: skip


def problem(made, text: str) -> str:
    """Why an answer cannot be used."""
    read = BARE.parse(decision(made), Completion(text=text))
    assert isinstance(read, Ask), read
    return read.reason


def test_it_is_a_scaffold_that_lists_its_actions() -> None:
    assert isinstance(BARE, Scaffold) and isinstance(BARE, Listing)
    assert BARE.max_asks == 0 and not BARE.needs_score


@pytest.mark.parametrize("name", TASKS)
def test_every_listed_recipe_is_a_program_that_its_own_text_means(name: str) -> None:
    at = decision(TASKS[name])
    actions = BARE.actions(at)
    assert 150 <= len(actions) <= 250
    assert len({made.code for made in actions}) == len(actions)
    texts = []
    for made in actions:
        compile(made.code, "solution.py", "exec")
        texts.append(BARE.render(at, made))
        assert texts[-1] == made.plan
        assert BARE.parse(at, Completion(text=texts[-1])) == made
    assert all(made.plan in texts for made in BARE.plain(at))
    assert actions == BARE.actions(decision(TASKS[name])), "equal recipes are equal programs"


@given(st.sampled_from(sorted(TASKS)), st.randoms(use_true_random=False), st.data())
def test_what_is_rendered_is_read_back_in_any_dress(name: str, rng: Random, data) -> None:
    at = decision(TASKS[name])
    known = families("regression" if name == "numbers" else "classification")
    family = known[data.draw(st.sampled_from(sorted(known)))]
    recipe = {"model": family.name}
    recipe |= {key: data.draw(st.sampled_from(list(v))) for key, v in family.settings.items()}
    pairs = list(recipe.items())
    rng.shuffle(pairs)
    text = json.dumps(dict(pairs), indent=data.draw(st.sampled_from([None, 2])))
    dressed = data.draw(
        st.sampled_from(["{}", " \n{}\n", "```json\n{}\n```", "<think>{{1}}</think>{}", "Try {}"])
    )
    read = BARE.parse(at, Completion(text=dressed.replace("{}", text)))
    assert isinstance(read, RunCode)
    assert json.loads(BARE.render(at, read)) == recipe
    assert BARE.parse(at, Completion(text=BARE.render(at, read))) == read


def test_a_look_at_the_table_is_a_valid_action_and_no_edit() -> None:
    at, look = decision(info()), action(info(), INSPECT)
    assert look.type == "read_file" and look.path == "input/train.csv"
    assert BARE.render(at, look) == INSPECT
    assert {look.type, "run_code"} <= set(at.allowed)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "The answer holds no JSON object."),
        ("a forest", "The answer holds no JSON object."),
        (TREE[:-1], "The JSON object cannot be read"),
        (TREE + LINEAR, "There is more than one JSON object; write exactly one."),
        (TREE + '{"mo', "There is more than one JSON object; write exactly one."),
        ('{"model":"tree","depth":4,"weights":"plain"}', "`encode` is missing"),
        (TREE.replace("4", "5"), "`depth` must be one of: 2, 4, 8, 16."),
        (TREE.replace("4", "true"), "`depth` must be one of"),
        (TREE.replace("4", "NaN"), "`depth` must be one of"),
        (TREE.replace("4", '"4"'), "`depth` must be one of"),
        (TREE.replace("4", "[4]"), "`depth` must be one of"),
        (TREE.replace("4", "9" * 6000), "The JSON object cannot be read"),
        (TREE.replace("tree", "oak"), "`model` must be one of: linear, tree"),
        ('{"model":["tree"]}', "`model` must be one of"),
        (KNN.replace("}", ',"trees":10}'), "`knn` has no key `trees`; it takes `k`, `scale`"),
        (KNN.replace("}", ',"k":3}'), "A key is written twice."),
        ('{"model":"lasso","penalty":0.1}', "`model` must be one of"),
        ('{"do":"stop"}', "The only thing to do"),
        ('{"do":"inspect","model":"tree"}', "The only thing to do"),
        ('{"a":' * 4000, "JSON object"),
        ("[" * 5000 + '{"a":1}', "`model` must be one of"),
        (" " * 30_000 + TREE, "The answer is far too long"),
    ],
)
def test_what_is_no_recipe_is_told_why(text: str, reason: str) -> None:
    assert reason in problem(info(), text)


def test_a_repair_is_asked_for_only_where_it_is_wanted() -> None:
    patient = RecipeScaffold(RecipeConfig(repairs=2))
    assert patient.max_asks == 2
    ask = patient.parse(decision(info()), Completion(text="{}"))
    assert isinstance(ask, Ask) and ask.messages[0].content.startswith(ask.reason)


@given(st.text() | st.text(alphabet='{}[]":,0123456789.eE-+truefalsnNI \n`\\u').map("{".__add__))
def test_no_text_makes_it_raise(text: str) -> None:
    BARE.parse(decision(info()), Completion(text=text))


def test_a_decision_of_something_else_has_no_recipes() -> None:
    other = decision(info()).model_copy(update={"extra": {}})
    assert BARE.actions(other) == [] and BARE.plain(other) == []
    assert isinstance(BARE.parse(other, Completion(text=TREE)), Ask)
    text = BARE.render(decision(info()), RunCode(code="print(1)", plan=TREE))
    assert isinstance(BARE.parse(decision(info()), Completion(text=text)), Ask)


def test_neighbours_differ_in_one_setting() -> None:
    at = decision(info())
    near = [json.loads(BARE.render(at, made)) for made in BARE.near(at, action(info(), TREE))]
    start = json.loads(TREE)
    assert len(near) == 3 + 1 + 1
    assert all(sum(other[key] != start[key] for key in start) == 1 for other in near)
    assert BARE.near(at, action(info(), INSPECT)) == []


def test_programs_start_clean_from_the_best_one_so_far() -> None:
    outcomes = (LINEAR, "ok", 0.6), (TREE, "ok", 0.7), (KNN, "error", None), (LINEAR, "ok", 0.6)
    made = BARE.propose(grown(info(), *outcomes), Random(0))
    assert isinstance(made, Decision)
    assert (made.start, made.parent, made.score, made.operator) == ("clean", 1, 0.7, "improve")
    assert made.extra[TRIED] == [[TREE, 0.7], [KNN, None], [LINEAR, 0.6]]
    assert json.loads(made.model_dump_json())["extra"] == made.extra, "a record reads back the same"


def test_the_first_decision_has_nothing_to_beat() -> None:
    made = decision(info("rmse"))
    assert (made.parent, made.score, made.operator, made.extra[TRIED]) == (None, None, "draft", [])


def test_many_tries_leave_the_best_one_in_memory() -> None:
    texts = [json.dumps(recipe, separators=(",", ":")) for recipe in listed("classification")[:60]]
    outcomes = [(text, "ok", 0.9 if n == 0 else 0.5) for n, text in enumerate(texts)]
    made = BARE.propose(grown(info(), *outcomes), Random(0))
    assert isinstance(made, Decision)
    assert len(made.extra[TRIED]) == 50
    assert made.extra[TRIED][0] == [texts[0], 0.9] and made.extra[TRIED][-1] == [texts[-1], 0.5]


def test_a_task_that_is_no_table_is_not_begun() -> None:
    stop = BARE.propose(tree(info=info(files=("model.bin",))), Random(0))
    assert isinstance(stop, Stop) and "train.csv" in stop.reason


def test_the_bare_prompt_is_facts_and_trials() -> None:
    made = info(features={"rows": 400.0, "skew": 0.12345, "kind": "small"}, ideas=("Try trees.",))
    seen = grown(
        made,
        (LINEAR, "ok", 0.75),
        (TREE, "ok", 0.6),
        (SEARCH, "timeout", None),
        (INSPECT, "ok", None),
        ("", "invalid_action", None),
        left=2,
    )
    messages = BARE.prompt(decision(made), seen)
    assert [message.role for message in messages] == ["user"]
    assert messages[0].content.split("\n") == [
        "classification auc max rows 400 skew 0.123 kind small",
        "idea: Try trees.",
        "tried",
        f"{LINEAR} 500 best",
        f"{TREE} 200",
        f"{SEARCH} timeout",
        f"{INSPECT} ok",
        "? invalid_action",
        "left 2",
    ]


def test_facts_are_counted_in_the_preview_where_the_task_has_none() -> None:
    preview = (
        "## test.csv\n6 columns, 9 rows\n- id: int, 9 distinct, 1 to 9\n"
        "- size: float, 3 missing, 8 distinct, 0 to 1\n"
        "- town: text, 3 distinct, values 'a' x3\n"
        "- note: text, 1000 or more distinct, such as 'x'\n\n## train.csv\n- size: int"
    )
    text = BARE.prompt(decision(info()), tree(info=info(preview=preview)))[0].content
    expected = "classification auc max tabular rows 100 numbers 1 categories 1 texts 1"
    assert text.split("\n")[:2] == [expected, "tried none"]


def test_lower_scores_are_better_where_the_metric_says_so() -> None:
    reg = TREE.replace("weights", "target")
    other = reg.replace("4", "8")
    seen = grown(info("rmse"), (reg, "ok", 0.5), (other, "ok", 3.0))
    text = BARE.prompt(decision(info("rmse")), seen)[0].content
    assert f"{reg} 750 best" in text and f"{other} -500" in text
    unknown = info("rmse", baseline=None)
    assert (
        f"{reg} 0.5 best"
        in BARE.prompt(decision(unknown), grown(unknown, (reg, "ok", 0.5)))[0].content
    )


def test_the_history_holds_the_best_and_the_latest() -> None:
    depths = [2, 4, 8, 16]
    texts = [TREE.replace("4", str(depth)) for depth in depths] + [LINEAR, KNN]
    scores = [0.9, 0.6, 0.8, 0.55, 0.5, 0.65]
    outcomes = [(text, "ok", score) for text, score in zip(texts, scores, strict=True)]
    brief = RecipeScaffold(RecipeConfig(explain=False, history=3))
    content = brief.prompt(decision(info()), grown(info(), *outcomes))[0].content
    shown = [line.rpartition("} ")[0] + "}" for line in content.split("\n") if "model" in line]
    assert shown == [texts[0], texts[2], texts[5]]


def test_a_language_model_is_told_the_grammar_and_the_task() -> None:
    told = RecipeScaffold(RecipeConfig())
    seen = grown(info(), (INSPECT, "ok", None))
    system, user = told.prompt(decision(info()), seen)
    for family in families("classification").values():
        assert f'"{family.name}"' in system.content
        assert all(f'"{key}"' in system.content for key in family.settings)
    assert "Predict rain from pressure." in user.content and "tried\n" in user.content


@pytest.mark.parametrize("feedback", ["self", "none"])
def test_it_goes_on_without_scores(feedback: Feedback) -> None:
    steps = list(grown(info(), (TREE, "ok", None)).nodes)
    seen = tree(steps, info=info(), feedback=feedback)
    made = BARE.propose(seen, Random(0))
    assert isinstance(made, Decision) and made.parent is None and made.score is None
    assert f"{TREE} ok" in BARE.prompt(made, seen)[0].content
