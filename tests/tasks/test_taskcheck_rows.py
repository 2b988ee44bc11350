"""Columns that tell too much, orders that tell, rows that stand twice: planted ones are found."""

import os
import random
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mlxlab.core.registry import Registry
from mlxlab.testing import MemorySandbox, ToyTask
from mlxlab.testing.taskcheck import rows, table
from mlxlab.testing.taskcheck.subject import Subject
from tests.tasks.folders import house, made, state

ROWS, TRAIN = 900, 600
IDS = ("no-telling-columns", "no-sorted-answers", "no-duplicated-rows")


def subject(task, root: Path) -> Subject:
    inputs = root / "inputs"
    inputs.mkdir()
    task.prepare(inputs)
    return Subject(
        task=task,
        again=task,
        info=task.info,
        inputs=inputs,
        repeat=inputs,
        grader=task.grader(),
        sandbox=lambda: MemorySandbox(lambda *_: None),
        scratch=root,
    )


def looked(task, root: Path):
    return {finding.id: finding for finding in rows.of_rows(subject(task, root))}


def statuses(found):
    return tuple(found[name].status for name in IDS)


def honest(seed=0) -> pd.DataFrame:
    """Four columns that together explain most of a price, none of them nearly all of it."""
    draw = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "size": draw.integers(30, 200, ROWS),
            "rooms": draw.integers(1, 8, ROWS),
            "zone": draw.choice(["north", "south", "by the river"], ROWS),
            "age": draw.uniform(0, 100, ROWS).round(2),
        }
    )
    zones = frame["zone"].map({"north": 0, "south": 40, "by the river": 90})
    noise = draw.normal(0, 8, ROWS)
    frame["price"] = (frame["size"] + 20 * frame["rooms"] + zones + noise).round(2)
    return frame


def labelled(seed=0) -> pd.DataFrame:
    frame = honest(seed)
    frame["price"] = np.where(frame["price"] > frame["price"].median(), "dear", "cheap")
    return frame


def folder(root: Path, frame: pd.DataFrame, metric="rmse", order=None) -> Path:
    """A folder task of a frame; `order` puts its test rows in an order of their own."""
    frame = frame.assign(Id=[f"r{number:05d}" for number in range(len(frame))])
    train, test = frame[:TRAIN], frame[TRAIN:]
    if order is not None:
        ids = test["Id"].tolist()
        test = test.iloc[np.argsort(test[order].to_numpy(), kind="stable")].assign(Id=ids)
    home = root / "home"
    home.mkdir()
    train.to_csv(home / "train.csv", index=False)
    test.drop(columns="price").to_csv(home / "test.csv", index=False)
    test[["Id", "price"]].to_csv(root / "answers.csv", index=False)
    constant = train["price"].iloc[0]
    test[["Id"]].assign(price=constant).to_csv(home / "sample_submission.csv", index=False)
    state(home, metric=metric, public_fraction=0)
    return home


def check(root, frame, **how):
    return looked(made(folder(root, frame, **how)), root)


@pytest.mark.parametrize("seed", range(2))
def test_honest_columns_are_clean(seed, tmp_path):
    found = check(tmp_path, honest(seed))
    assert statuses(found) == ("pass", "pass", "pass")
    assert found["no-telling-columns"].details["skill"] < 0.9
    found = looked(made(house(tmp_path / "other")), tmp_path / "other")
    assert statuses(found) == ("pass", "pass", "pass")


@pytest.mark.parametrize(("noise", "status"), [(0.0, "fail"), (30.0, "pass")])
@pytest.mark.parametrize("labels", [False, True])
@pytest.mark.parametrize("ids", ["r", ""])
def test_a_column_of_test_rows_alone_that_copies_the_answers_is_found(
    ids, labels, noise, status, tmp_path
):
    frame = labelled() if labels else honest()
    home = folder(tmp_path, frame, metric="accuracy" if labels else "rmse")
    told = frame["price"][TRAIN:].map({"dear": 7, "cheap": 3}) if labels else frame["price"][TRAIN:]
    draw = np.random.default_rng(2).normal(0, 1, ROWS - TRAIN) * noise
    test = pd.read_csv(home / "test.csv").assign(surge=told.to_numpy() + draw)
    test.to_csv(home / "test.csv", index=False)
    for file in (*home.glob("*.csv"), tmp_path / "answers.csv"):  # "" leaves 00600, no number
        file.write_text(re.sub(r"\br(?=\d)", ids, file.read_text()))
    finding = looked(made(home), tmp_path)["no-telling-columns"]
    assert finding.status == status, finding.message
    told = "of the test rows, and train.csv does not have it" in finding.message
    assert told is (status == "fail")


def noisy(frame):
    draw = np.random.default_rng(1)
    return frame["price"] + draw.normal(0, 0.05 * frame["price"].std(), len(frame))


LEAKS = {
    "a copy": lambda frame: frame["price"],
    "another unit": lambda frame: 3.7 * frame["price"] + 12,
    "its logarithm": lambda frame: np.log(frame["price"]),
    "a copy with noise": noisy,
    "a number in a text": lambda frame: "ref " + frame["price"].round(1).astype(str) + " EUR",
}
LABEL_LEAKS = {
    "a code": lambda frame: frame["price"].map({"dear": 7, "cheap": 3}),
    "a name in a text": lambda frame: "It is a " + frame["price"] + " one, by all accounts",
    "a length": lambda frame: frame["price"].map({"dear": "a bcd", "cheap": "fghi jk"}),
    "the last digit": lambda frame: (
        np.random.default_rng(2).integers(100, 900, len(frame)) * 10 + (frame["price"] == "dear")
    ),
    "a code, one in a hundred wrong": lambda frame: np.where(
        np.arange(len(frame)) % 100 == 5, "x", frame["price"].map({"dear": "y", "cheap": "x"})
    ),
}


@pytest.mark.parametrize("name", LEAKS)
def test_a_column_that_tells_the_number_is_found(name, tmp_path):
    frame = honest()
    found = check(tmp_path, frame.assign(mark=LEAKS[name](frame)))
    finding = found["no-telling-columns"]
    assert statuses(found) == ("fail", "pass", "pass"), finding.message
    assert "'mark'" in finding.message
    assert finding.details["column"] == "mark"


@pytest.mark.parametrize("name", LABEL_LEAKS)
def test_a_column_that_tells_the_label_is_found(name, tmp_path):
    frame = labelled()
    assert check(tmp_path, frame, metric="accuracy")["no-telling-columns"].status == "pass"
    (tmp_path / "leak").mkdir()
    leaky = frame.assign(mark=LABEL_LEAKS[name](frame))
    finding = check(tmp_path / "leak", leaky, metric="accuracy")["no-telling-columns"]
    assert finding.status == "fail", finding.message
    assert finding.details["column"] == "mark"


def test_two_leaks_do_not_hide_each_other(tmp_path):
    frame = honest()
    finding = check(tmp_path, frame.assign(a=noisy(frame), b=noisy(frame)))["no-telling-columns"]
    assert finding.status == "fail"


def test_a_column_that_tells_much_more_than_the_others_is_for_people_to_judge(tmp_path):
    frame = honest()[["age", "zone", "price"]]
    draw = np.random.default_rng(3)
    strong = frame["price"] + draw.normal(0, 0.3 * frame["price"].std(), len(frame))
    finding = check(tmp_path, frame.assign(strong=strong))["no-telling-columns"]
    assert finding.status == "warn"
    assert "Is it known before the answer is?" in finding.message


def test_a_group_that_is_kept_apart_tells_nothing_of_others(tmp_path):
    """Within a group the target hardly varies, but no test row is of a known group."""
    draw = np.random.default_rng(4)
    group = np.arange(ROWS) // 10
    level = draw.normal(0, 100, ROWS // 10 + 1)
    numbers = draw.permutation(ROWS // 10 + 1)
    frame = pd.DataFrame({"group": numbers[group], "x": draw.normal(size=ROWS).round(3)})
    frame["price"] = (level[group] + draw.normal(0, 1, ROWS)).round(3)
    mixed = frame.iloc[[*draw.permutation(TRAIN), *(TRAIN + draw.permutation(ROWS - TRAIN))]]
    found = check(tmp_path, mixed)
    assert statuses(found) == ("pass", "pass", "pass")
    assert found["no-telling-columns"].details["skill"] < 0.5


def test_test_rows_sorted_by_the_answer_are_found(tmp_path):
    found = check(tmp_path, honest(), order="price")
    assert statuses(found) == ("pass", "fail", "pass")
    assert "places of the test rows" in found["no-sorted-answers"].message


def test_test_rows_sorted_by_a_column_that_is_there_are_not(tmp_path):
    found = check(tmp_path, honest(), order="size")
    assert statuses(found) == ("pass", "pass", "pass")


def test_ids_sorted_by_the_answer_are_found(tmp_path):
    home = folder(tmp_path, honest(), order="price")
    draw = np.random.default_rng(5).permutation(ROWS - TRAIN)
    for path in (home / "test.csv", home / "sample_submission.csv"):
        pd.read_csv(path).iloc[draw].to_csv(path, index=False)
    found = looked(made(home), tmp_path)
    assert statuses(found) == ("pass", "fail", "pass")
    assert "ids of the test rows" in found["no-sorted-answers"].message


class WithFiles:
    """A task of a folder, and beside its tables a file for each row."""

    def __init__(self, home: Path, times: dict[str, float]) -> None:
        self._task, self._times = made(home), times
        self.hidden = ()
        self.info = self._task.info

    def prepare(self, where: Path) -> None:
        self._task.prepare(where)
        for name, time in self._times.items():
            path = where / "scans" / f"{name}.png"
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(b"scan")
            os.utime(path, (time, time))

    def grader(self):
        return self._task.grader()


@pytest.mark.parametrize(("told", "status"), [(True, "fail"), (False, "pass")])
def test_files_whose_times_go_with_the_answer_are_found(told, status, tmp_path):
    frame = honest()
    home = folder(tmp_path, frame)
    times = frame["price"].rank().tolist() if told else random.Random(0).sample(range(ROWS), ROWS)
    task = WithFiles(home, {f"r{row:05d}": 1e9 + 60 * at for row, at in enumerate(times)})
    finding = looked(task, tmp_path)["no-sorted-answers"]
    assert finding.status == status
    assert ("times of the training rows' files" in finding.message) is True


@pytest.mark.parametrize(("copies", "status"), [(0, "pass"), (1, "pass"), (60, "fail")])
def test_copied_rows_are_counted(copies, status, tmp_path):
    frame = honest()
    frame.iloc[TRAIN : TRAIN + copies] = frame.iloc[:copies].to_numpy()
    finding = check(tmp_path, frame)["no-duplicated-rows"]
    assert finding.details["duplicates"] == copies
    assert finding.status == status, finding.message
    assert f"{copies} of {ROWS - TRAIN} test rows" in finding.message


@pytest.mark.parametrize(("copies", "status"), [(1, "pass"), (10, "warn"), (40, "fail")])
def test_few_copies_among_many_rows_are_for_people_to_judge(copies, status):
    draw = np.random.default_rng(6)
    train, test = (pd.DataFrame(draw.normal(size=(size, 2))) for size in (4000, 2000))
    test.iloc[:copies] = train.iloc[:copies].to_numpy()
    many = table.Table(train, test, train, None, [], [], [], "")
    finding = rows.duplicated_rows("no-duplicated-rows", None, many)
    assert (finding.status, finding.details["duplicates"]) == (status, copies)


def test_coarse_columns_make_duplicates_by_chance(tmp_path):
    finding = check(tmp_path, honest()[["rooms", "zone", "price"]])["no-duplicated-rows"]
    assert finding.details["share"] > 0.9
    assert finding.status == "pass"


def test_no_more_than_the_stated_number_of_rows_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(table, "MOST_ROWS", 200)
    found = check(tmp_path, honest())
    assert statuses(found) == ("pass", "pass", "pass")
    assert "(only the first 200 rows of each table were read)" in found[IDS[2]].message


def test_a_task_without_tables_is_not_judged_by_them(tmp_path):
    found = looked(ToyTask(), tmp_path)
    assert statuses(found) == ("skip", "skip", "skip")
    assert "no table of training rows" in found[IDS[0]].message


class Program(ToyTask):
    """What is handed in is no table."""

    @property
    def info(self):
        info = super().info
        contract = info.submission.model_copy(
            update={"form": "file", "columns": (), "rows": 0, "id_column": "", "sample": ""}
        )
        return info.model_copy(update={"submission": contract, "m_reason": "none"})


def test_a_task_of_another_form_than_a_table_is_told_what_does_not_apply(tmp_path):
    found = looked(Program(), tmp_path)
    assert statuses(found) == ("skip", "skip", "skip")
    assert found[IDS[0]].message == "Not applicable: what is handed in is no table."


def test_a_builtin_task_is_clean(tmp_path):
    """All of them: `test_every_builtin_task_is_sound`; this one is quick."""
    task = Registry.installed().create("task", "injuries").instance
    assert statuses(looked(task, tmp_path)) == ("pass", "pass", "pass")
