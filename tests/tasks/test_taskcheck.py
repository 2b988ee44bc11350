"""`check_task`: a sound task passes, and each way to spoil one is found by its own check."""

import gc
import importlib
import random
import re
from pathlib import Path

import pandas as pd
import pytest

from mlxlab.core.errors import PluginError
from mlxlab.core.registry import Registry
from mlxlab.core.task import Grade
from mlxlab.plugins.tasks.built import DATA_PACKAGES
from mlxlab.plugins.tasks.source import Source
from mlxlab.testing import MemorySandbox, ToyTask
from mlxlab.testing.taskcheck import check_task, leaks
from tests.tasks.folders import house, made, state

IDS = [
    *("files-repeat", "info-stable", "info-complete", "sample-valid", "oracle"),
    *("malformed-refused", "starter-runs"),
    *("no-telling-columns", "no-sorted-answers", "no-duplicated-rows"),
    *("no-answers-outside", "no-answers-in-files", "no-test-rows-in-train"),
    "no-answers-in-order",
]


def local():
    return Registry.installed().create("sandbox", "local").instance


def check(make, monkeypatch, sandbox=local, look_s=0.5):
    """All findings by their ids; the search outside the task's own files is kept short."""
    monkeypatch.setattr(leaks, "LOOK_S", look_s)
    return {finding.id: finding for finding in check_task(make, sandbox)}


def failures(found):
    return {name: finding.message for name, finding in found.items() if finding.status == "fail"}


def test_a_sound_task_passes(tmp_path, monkeypatch):
    folder = house(tmp_path)
    found = check(lambda: made(folder), monkeypatch)
    assert list(found) == IDS
    assert failures(found) == {}
    assert found["oracle"].status == "pass"
    assert found["starter-runs"].status in {"pass", "skip"}
    assert found["no-answers-in-files"].details["train_rows"] == made(folder).info.train_rows


@pytest.mark.parametrize("form", ["csv.gz", "json", "jsonl", "parquet", "ids in another column"])
def test_answers_in_a_public_file_are_found(form, tmp_path, monkeypatch):
    folder = house(tmp_path)
    answers = pd.read_csv(tmp_path / "answers.csv").sample(frac=1, random_state=0)
    if form == "csv.gz":
        answers.to_csv(folder / "more.csv.gz", index=False)
    elif form == "json":
        answers.to_json(folder / "more.json", orient="records")
    elif form == "jsonl":
        answers.to_json(folder / "more.jsonl", orient="records", lines=True)
    elif form == "parquet":
        pytest.importorskip("pyarrow")
        answers.to_parquet(folder / "more.parquet")
    else:
        test = pd.read_csv(folder / "test.csv").merge(answers)
        test.drop(columns="Id").to_csv(folder / "more.csv", index=False)
    (name,) = (path.name for path in folder.glob("more*"))
    state(folder, f'files = ["{name}"]', public_fraction=0)
    found = check(lambda: made(folder), monkeypatch)
    assert list(failures(found)) == ["no-answers-in-files"]
    message = found["no-answers-in-files"].message
    assert f"'price' in input/{name}" in message
    assert found["no-answers-in-files"].details["leak"]["private"] < 1e-6


def test_a_public_file_of_more_columns_is_no_leak(tmp_path, monkeypatch):
    folder = house(tmp_path)
    tables = [pd.read_csv(folder / name) for name in ("train.csv", "test.csv")]
    rows = pd.concat(tables)[["Id", "size"]]
    rows.assign(rooms=rows["size"] // 25).drop(columns="size").to_csv(
        folder / "rooms.csv", index=False
    )
    state(folder, 'files = ["rooms.csv"]', public_fraction=0)
    assert failures(check(lambda: made(folder), monkeypatch)) == {}


def test_test_rows_in_the_training_table_are_found(tmp_path, monkeypatch):
    folder = house(tmp_path)
    train, test = (pd.read_csv(folder / name) for name in ("train.csv", "test.csv"))
    copied = test.merge(pd.read_csv(tmp_path / "answers.csv")).assign(Id=range(901, 1001))
    pd.concat([train, copied]).to_csv(folder / "train.csv", index=False)
    state(folder, public_fraction=0)
    found = check(lambda: made(folder), monkeypatch)
    assert list(failures(found)) == ["no-duplicated-rows", "no-test-rows-in-train"]
    assert "100% of the test rows" in found["no-test-rows-in-train"].message


def table(folder, frame, train, target="price"):
    """A folder task out of a frame whose first rows are for training."""
    frame = frame.assign(Id=range(1, len(frame) + 1))
    folder.mkdir()
    test = frame[train:]
    frame[:train].to_csv(folder / "train.csv", index=False)
    test.drop(columns=target).to_csv(folder / "test.csv", index=False)
    test[["Id", target]].to_csv(folder.parent / "answers.csv", index=False)
    test[["Id"]].assign(**{target: 0}).to_csv(folder / "sample_submission.csv", index=False)
    state(folder, target=target, public_fraction=0)
    return folder


def test_coarse_columns_make_twins_honestly(tmp_path, monkeypatch):
    draw = random.Random(0)
    rows = [(draw.randint(1, 4), draw.choice("abc")) for _ in range(600)]
    frame = pd.DataFrame(rows, columns=["rooms", "zone"])
    frame["price"] = [1000 * rooms + draw.gauss(0, 100) for rooms, _ in rows]
    folder = table(tmp_path / "coarse", frame, 400)
    assert failures(check(lambda: made(folder), monkeypatch)) == {}


def test_rows_sorted_by_the_target_are_found(tmp_path, monkeypatch):
    draw = random.Random(0)
    rows = [(draw.random(), draw.random()) for _ in range(600)]
    frame = pd.DataFrame(rows, columns=["a", "b"])
    prices = [draw.gauss(0, 100) for _ in rows]
    frame["price"] = [*sorted(prices[:400]), *sorted(prices[400:])]
    folder = table(tmp_path / "sorted", frame, 400)
    found = check(lambda: made(folder), monkeypatch)
    assert list(failures(found)) == ["no-sorted-answers", "no-answers-in-order"]
    assert "the place in the file" in found["no-answers-in-order"].message


def test_rows_in_order_of_time_are_no_leak(tmp_path, monkeypatch):
    draw = random.Random(0)
    days = pd.date_range("2020-01-01", periods=600)
    frame = pd.DataFrame({"day": days.strftime("%Y-%m-%d")})
    frame["price"] = [place + draw.gauss(0, 20) for place in range(600)]
    known = sorted(random.Random(1).sample(range(600), 400))
    asked = sorted(set(range(600)) - set(known))
    folder = table(tmp_path / "series", frame.iloc[[*known, *asked]], 400)
    assert failures(check(lambda: made(folder), monkeypatch)) == {}


class Toy(ToyTask):
    """Sound but for what a test spoils; its programs do not run."""

    changes: dict = {}
    given: float = 0.0
    count = 0
    restless = False

    @property
    def info(self):
        return super().info.model_copy(update={"m_reason": "none", **self.changes})

    def prepare(self, folder: Path) -> None:
        super().prepare(folder)
        sample = self.submission([self.given] * 8)
        if self.given == -1:
            sample = self.submission([float(row) for row in range(8)])
        (folder / "sample_submission.csv").write_text(sample)
        if self.restless:
            type(self).count += 1
            (folder / "test.csv").write_text(str(self.count))

    def oracle(self) -> bytes:
        return self.submission([float(row) for row in range(8)]).encode()


class Raising(Toy):
    def grade(self, submission: bytes) -> Grade:
        if not submission:
            raise ValueError("empty")
        return super().grade(submission)


class Lenient(Toy):
    def grade(self, submission: bytes) -> Grade:
        grade = super().grade(submission)
        return grade if grade.valid else Grade(valid=True, public=3.5, private=3.0)


RULES = IDS[:6]
SPOILED = {
    "no fault": (Toy, {}, None),
    "restless files": (type("Restless", (Toy,), {"restless": True}), {}, "files-repeat"),
    "a file unnamed": (Toy, {"files": ("test.csv",)}, "files-repeat"),
    "reference worse": (Toy, {"reference": 4.0}, "info-complete"),
    "outside the range": (Toy, {"reference": -1.0}, "info-complete"),
    "rows": (Toy, {"public_rows": 1}, "info-complete"),
    "no title": (Toy, {"title": " "}, "info-complete"),
    "sample of answers": (type("Given", (Toy,), {"given": -1}), {}, "sample-valid"),
    "oracle worse": (Toy, {"metric": None}, "oracle"),
    "raises": (Raising, {}, "malformed-refused"),
    "takes all": (Lenient, {}, "malformed-refused"),
}


@pytest.mark.parametrize("name", SPOILED)
def test_a_broken_rule_is_found_by_its_check(name):
    kind, changes, check_id = SPOILED[name]
    if changes.get("metric", "") is None:
        metric = ToyTask().info.metric.model_copy(update={"direction": "maximize"})
        changes = {"metric": metric, "baseline": 0.0, "reference": 5.0, "m_best": 5.0, "m_init": 0}
    spoiled = type(kind.__name__, (kind,), {"changes": changes})
    found = {f.id: f for f in check_task(spoiled, lambda: MemorySandbox(lambda *_: None))}
    bad = [rule for rule in RULES if found[rule].status == "fail"]
    assert check_id in bad if check_id else bad == []
    assert all(found[rule].message.endswith(".") for rule in RULES)


def test_hidden_entries_that_nothing_installed_fits_are_named():
    hidden = ("sklearn", "sklearn:datasets/data", "sklearn:datasets/dta", "no_such.part", "pandsa")
    task = type("Hiding", (Toy,), {"hidden": hidden})
    found = {f.id: f for f in check_task(task, lambda: MemorySandbox(lambda *_: None))}
    told = "what hidden names is not installed here: sklearn:datasets/dta, no_such.part, pandsa."
    assert found["info-complete"].message.endswith(told)


@pytest.mark.parametrize(
    ("stated", "told"),
    [
        ({"info": {}}, "the task: info is dict, no TaskInfo."),
        ({"grader": lambda self: None}, "the task: grader returned NoneType, which has no grade."),
        ({"prepare": lambda self, folder: 1 / 0}, "the task: prepare failed: ZeroDivisionError"),
    ],
)
def test_what_a_task_gives_wrongly_is_named(stated, told):
    task = type("Odd", (Toy,), stated)
    with pytest.raises(PluginError, match=re.escape(told)):
        list(check_task(task, lambda: MemorySandbox(lambda *_: None)))


@pytest.mark.filterwarnings("error")
def test_a_method_that_is_async_is_named():
    async def wrong(self, *_):
        pass

    for name in ("prepare", "grader"):
        told = f"the task: {name} is async, where def {name}(...) is meant."
        with pytest.raises(PluginError, match=re.escape(told)):
            list(check_task(type("Odd", (Toy,), {name: wrong}), lambda: MemorySandbox(print)))
        gc.collect()


def test_the_first_verdict_that_is_none_ends_it():
    def unused():
        raise AssertionError("nothing is searched for")

    task = type("Odd", (Toy,), {"grade": lambda self, submission: 0.5})
    *before, last = check_task(task, unused)
    assert [finding.status for finding in before] == ["pass"] * 3
    told = ("sample-valid", "fail", "grade returned float, no Grade.")
    assert (last.id, last.status, last.message) == told


def test_a_grade_that_is_no_number_is_no_sound_one():
    class Grader:
        def grade(self, submission):
            return Grade(valid=True, public=float("nan"), private=0.5)

    task = type("Odd", (Toy,), {"grader": lambda self: Grader()})
    *_, last = check_task(task, lambda: MemorySandbox(lambda *_: None))
    assert (last.status, last.message) == ("fail", "grade returned a public score that is nan.")


def test_a_search_that_cannot_be_carried_out_proves_nothing():
    found = {f.id: f for f in check_task(Toy, lambda: MemorySandbox(lambda *_: None))}
    assert [found[name].status for name in IDS[-4:]] == ["fail"] * 4


BUILTIN = [task.id for task in Registry.installed().create("suite", "builtin").instance.tasks()]
ONE_OF_EACH_PACKAGE = (
    *("flights", "temperature", "mnist", "counties", "verses"),
    *("names", "words", "terrain"),
)
"""Builtin tasks whose data lie in as many packages; the others lie in the same ones."""


def packages(name):
    """The packages that a builtin task's data lie in, told without reading them."""
    module = importlib.import_module(f"mlxlab.plugins.tasks.{name}")
    return {each.package for each in vars(module).values() if isinstance(each, Source)}


@pytest.mark.slow
@pytest.mark.parametrize("name", ONE_OF_EACH_PACKAGE)
def test_control_with_nothing_hidden_the_answers_are_found(name, monkeypatch):
    def make():
        task = Registry.installed().create("task", name).instance
        task.hidden = ()
        return task

    found = check(make, monkeypatch, look_s=leaks.LOOK_S)
    assert list(failures(found)) == ["no-answers-outside"]
    package = found["no-answers-outside"].details["package"]
    assert package in packages(name)
    assert package in found["no-answers-outside"].message


def test_each_package_of_data_has_a_control():
    assert set.union(*map(packages, BUILTIN)) == set.union(*map(packages, ONE_OF_EACH_PACKAGE))


def test_each_package_of_data_is_hidden():
    hidden = {path.partition(":")[0] for path in DATA_PACKAGES}
    assert set.union(*map(packages, BUILTIN)) <= hidden


@pytest.mark.slow
@pytest.mark.parametrize("name", BUILTIN)
def test_every_builtin_task_is_sound(name, monkeypatch):
    def make():
        return Registry.installed().create("task", name).instance

    assert failures(check(make, monkeypatch, look_s=leaks.LOOK_S)) == {}
