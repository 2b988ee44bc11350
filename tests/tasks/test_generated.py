"""The generated tables: the same each time, sound, silent about their making, and different."""

from __future__ import annotations

import re
from statistics import mean

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlxlab.core.errors import UsageError
from mlxlab.core.registry import Registry
from mlxlab.plugins.tasks.generated.families import FAMILIES
from mlxlab.plugins.tasks.generated.probes import probes

ALL = [f"{family}/{seed}" for family in FAMILIES for seed in (0, 1)]


def made(table):
    return Registry.installed().create("task", f"generated:{table}").instance


@pytest.fixture(scope="module")
def infos():
    return {table: made(table).info for table in ALL}


@pytest.mark.parametrize("table", ["rings/7", "codes/2", "gaps/1", "rare/0", "skewed/3"])
def test_the_same_bytes_each_time(table, tmp_path):
    first, again = made(table), made(table)
    for place, task in (("a", first), ("b", again)):
        (tmp_path / place).mkdir()
        task.prepare(tmp_path / place)
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()
    assert first.info == again.info


def test_seeds_and_families_differ_in_their_data(infos):
    assert len({info.data_hash for info in infos.values()}) == len(ALL)
    assert made("linear").info == infos["linear/0"]


def test_what_an_agent_reads_does_not_name_the_family(infos):
    for table, info in infos.items():
        family = table.partition("/")[0]
        told = f"{info.title} {info.description} {info.preview} {list(info.features)}".lower()
        assert not re.search(rf"\b{family}\b", told), table


def test_the_scale_is_sound_and_all_kinds_occur(infos):
    for table, info in infos.items():
        assert info.metric.better(info.m_best, info.m_init), table
        assert (info.baseline, info.reference) == (info.m_init, info.m_best)
        assert info.private_rows == info.public_rows == 800
        assert 100 <= info.train_rows <= 500
    assert {info.metric.direction for info in infos.values()} == {"minimize", "maximize"}
    assert {"classes" in info.features for info in infos.values()} == {True, False}
    assert len({info.metric.name for info in infos.values()}) >= 6


def test_the_sample_scores_the_baseline_and_chance_nothing_better(infos):
    for table in ("linear/0", "rings/0", "rare/1", "codes/0"):
        task = made(table)
        header, *lines = task._built.files["sample_submission.csv"].decode().splitlines()
        naive = task.grader().grade("\n".join([header, *lines]).encode())
        assert naive.private == pytest.approx(infos[table].baseline, rel=1e-5)
        assert naive.public is not None


def test_the_probes_tell_families_apart():
    seeds = range(6)

    def probed(family):
        found = [made(f"{family}/{seed}").info.features for seed in seeds]
        return {name: mean(each[name] for each in found) for name in ("p_lin", "p_tree", "p_near")}

    for family, best in {
        "linear": "p_lin",
        "sparse": "p_lin",
        "codes": "p_lin",
        "faint": "p_lin",
        "steps": "p_tree",
        "rings": "p_near",
        "oblique": "p_near",
        "blobs": "p_near",
    }.items():
        scores = probed(family)
        assert max(scores, key=scores.get) == best, (family, scores)


def test_features_are_facts_of_the_training_rows(tmp_path):
    task = made("gaps/1")
    task.prepare(tmp_path)
    train = pd.read_csv(tmp_path / "train.csv")
    features = task.info.features
    seen = train.drop(columns=["id", "y"])
    assert features["rows"] == len(train) == task.info.train_rows
    assert features["num"] == seen.shape[1]
    assert features["miss"] == pytest.approx(seen.isna().to_numpy().mean(), abs=0.005)
    categories = made("codes/2")
    assert categories.info.features["cat"] >= 2
    assert categories.info.features["levels"] <= 20


@given(st.integers(0, 1000))
@settings(max_examples=10, deadline=None)
def test_probes_are_what_scikit_learn_finds(seed):
    from sklearn.linear_model import Ridge
    from sklearn.neighbors import KNeighborsRegressor
    from sklearn.tree import DecisionTreeRegressor

    rng = np.random.default_rng(seed)
    x = rng.normal(size=(90, 3))
    y = x[:, 0] + (x[:, 1] > 0) + 0.3 * rng.normal(size=90)
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    models = {
        "p_lin": Ridge(alpha=10.0),
        "p_near": KNeighborsRegressor(10),
        "p_tree": DecisionTreeRegressor(max_depth=3, min_samples_leaf=5, random_state=0),
    }
    found = probes(pd.DataFrame(x, columns=list("abc")), y[:, None])
    for name, model in models.items():
        errors = total = 0.0
        for fold in range(3):
            held = np.arange(90) % 3 == fold
            intercept = y[~held].mean() if name == "p_lin" else 0.0
            if name == "p_lin":
                model.set_params(fit_intercept=False)
            guess = model.fit(x[~held], y[~held] - intercept).predict(x[held]) + intercept
            errors += ((y[held] - guess) ** 2).sum()
            total += ((y[held] - y[~held].mean()) ** 2).sum()
        assert found[name] == pytest.approx(1 - errors / total, abs=0.011)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("lineer/3", "did you mean 'linear'? known are linear, sparse"),
        ("quadrics", "there is no family 'quadrics': known are"),
        ("rings/x", "'x' is no seed: write a whole number from 0, as in rings/3"),
        ("rings/-1", "'-1' is no seed"),
        ("rings/", "'' is no seed"),
        ("rings/1.5", "'1.5' is no seed"),
    ],
)
def test_a_wrong_table_is_one_clear_line(table, said):
    with pytest.raises(UsageError) as raised:
        made(table)
    assert said in raised.value.message
    assert "\n" not in str(raised.value)
