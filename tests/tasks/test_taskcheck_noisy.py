"""The search for answers where training labels are noisy: what a column scores is looked at."""

import numpy as np
import pandas as pd
import pytest

from mlxlab.core.registry import Registry
from mlxlab.core.spec import Spec
from mlxlab.testing.taskcheck import check_task, leaks
from tests.tasks.folders import made, state

TRAIN, TEST = 300, 150


def task(root, numeric=False):
    """A folder task whose training labels are noisy; returns it with its rows and true answers."""
    draw = np.random.default_rng(0)
    seen = pd.DataFrame(draw.random((TRAIN + TEST, 3)).round(4), columns=["a", "b", "c"])
    full = seen["a"] + seen["b"] + 0.4 * draw.random(TRAIN + TEST)
    truth = full.round(3) if numeric else (full > 1.2).map({True: "yes", False: "no"})
    noisy = truth[:TRAIN].copy()
    if numeric:
        noisy += draw.normal(0, 0.5, TRAIN).round(3)
    else:
        chosen = draw.random(TRAIN) < 0.5
        noisy[chosen] = draw.choice(["yes", "no"], chosen.sum())
    folder = root / "noisy"
    folder.mkdir()
    rows = seen.assign(Id=range(len(seen)))
    rows[:TRAIN].assign(y=noisy).to_csv(folder / "train.csv", index=False)
    rows[TRAIN:].to_csv(folder / "test.csv", index=False)
    answers = rows[["Id"]].assign(y=truth)[TRAIN:]
    answers.to_csv(root / "answers.csv", index=False)
    usual = truth.mean() if numeric else "yes"
    answers.assign(y=usual).to_csv(folder / "sample_submission.csv", index=False)
    state(folder, metric="rmse" if numeric else "accuracy", target="y", public_fraction=0)
    return folder, seen, truth, full


def outside(folder, tables, monkeypatch):
    """The finding where some tables are all that lies in the sandbox."""
    paths = []
    for name, frame in tables.items():
        paths.append(str(folder.parent / name))
        frame.sample(frac=1, random_state=0).to_csv(paths[-1], index=False)
    only = f"import cheat.main\ncheat.main.candidates = lambda *_: [{paths!r}]\n"
    monkeypatch.setattr(leaks, "START", only.encode() + leaks.START)
    spec = Spec(name="local", options={"isolation": "none"})

    def sandbox():
        return Registry.installed().create("sandbox", spec).instance

    found = {finding.id: finding for finding in check_task(lambda: made(folder), sandbox)}
    return found["no-answers-outside"]


@pytest.mark.parametrize("numeric", [False, True], ids=["labels", "numbers"])
def test_true_answers_that_noise_hides_are_found_by_their_score(numeric, tmp_path, monkeypatch):
    folder, seen, truth, _ = task(tmp_path, numeric)
    whole = seen.assign(told=truth)
    tables = {"copy.csv": whole, "most.csv": whole[: TRAIN + TEST - 10]}
    found = outside(folder, tables, monkeypatch)
    assert found.status == "fail", found.message
    assert not found.details["leak"]["sure"], "the training labels alone told it"
    assert found.message.startswith("'told' in ") and "honest solutions score" in found.message
    assert {place.rpartition("/")[2] for place in found.details["places"]} == set(tables)
    assert found.message.count(".csv") == 2 and " Also in " in found.message


@pytest.mark.parametrize("numeric", [False, True], ids=["labels", "numbers"])
def test_a_good_feature_is_no_leak_for_all_the_noise(numeric, tmp_path, monkeypatch):
    folder, seen, _, full = task(tmp_path, numeric)
    good = full + np.random.default_rng(1).normal(0, 0.2, len(full))
    found = outside(folder, {"good.csv": seen.assign(told=good.round(4))}, monkeypatch)
    assert found.status == "pass", found.message
    (tried, *_) = found.details["tried"]
    assert tried["column"] == "told" and not tried["sure"]
    assert "not more than honest solutions do" in found.message


def test_further_places_are_named_up_to_three():
    assert leaks._also([]) == ""
    assert leaks._also(["a", "b"]) == " Also in a, b."
    assert leaks._also(list("abcde")) == " Also in a, b, c and 2 more."
