"""The builtin tasks as an agent meets them, and what only the host knows."""

import hashlib
import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mlxlab.core.errors import TaskError
from mlxlab.core.registry import Registry
from mlxlab.core.task import Task
from mlxlab.plugins.tasks.built import DATA_PACKAGES
from mlxlab.plugins.tasks.source import Source
from mlxlab.testing import MemorySandbox, TaskConformance, run_checks
from mlxlab.testing.taskcheck.subject import Subject

HASHES = {
    "flights": "8f30014004c6a6b337462f17b05bc42d078860315eda0157d026fb9cd7de1a6f",
    "temperature": "8d213cab89d8a19bd8e62c275eb86e4f87d65f8ac3e929efc7992a88d6034dac",
    "mnist": "66ec15b5e6151ead70561340dab1c27c0846c3740413857be8167746b1f12b9f",
    "verses": "8abfe4e8605d629ab5675679507d34c72453ef58e24032607b39100435ba4e99",
    "airlines": "127ffb0f72ae51b99b997dbca3628f482c0529189d962da5ba6b48f6a26c6c39",
    "boards": "365260e5dbc0505ca52047ed8a7cdd4bbd6f99a95e3516dd857170fc338a070e",
    "injuries": "cebc31dc9a154953af4ee88e8956073523c082f6b322297cb9047b020ff4e3e5",
    "departures": "06dc888541e2f1e590e0fe511f9a85d462911f892cb3aad5630402ab6e7c484b",
    "counties": "a74c950d1b59c112abf378170994b2957b9b0cee9a2a7102a6ed85eabe2d6d8c",
    "cancelled": "6551bcfc0378d56e037f137b9b43aab23ea87a7e734ae11a5d362546028ee701",
    "names": "e596544fdf677c65fc7422dd5882e67326030b4541618d45c20a65b1afd72402",
    "words": "4cb4f3655766b334d11f30033a081f235a533f3fb795978702793e7f79aaf1cb",
    "terrain": "315e228e4fa145ced8f0abe835ef2d51826081b970ffefaba8aa9f1885e70469",
    "children": "28cc7a250a5a87eedce975d32efa09517bb020cbcae73211cb65bffae1b104f2",
    "scores": "a1cce06ffa0defec6be9e8a80caca65baebdc424b0d9ae6ba16e367d107fadd4",
    "savers": "219c96bb93e264e91213b0f286cecf3f725f24ee272895ab117c158e3c4f1c8f",
    "surveys": "2048a413617794993d6be18a62c78f61930420fe582b43daf8cf151a8ceeaff9",
    "fares": "d4bd00c8a98fff1d20f7c9fba9ea74414d04304acc1528e359421051770a1459",
    "loans": "2c53651960926c1b7675bf57730c7748dae6ab7822faed7bd3c3c9104245920b",
}

PROOFS = {"task.answers_cannot_be_had", "task.rows_tell_no_answers", "task.the_starter_runs"}
"""Checks of tasks that run programs or fit models."""
REPEATED = {
    *("task.changes_nothing_around_it", "task.files_are_the_same_elsewhere", "task.files_repeat"),
    *("task.grades_several_at_once", "task.says_the_same_again"),
}
"""Checks of tasks that make, prepare or grade again and again: seconds for the large ones."""


def make(name):
    return Registry.installed().create("task", name).instance


@pytest.fixture(scope="module", params=HASHES)
def task(request):
    return make(request.param)


@pytest.fixture(scope="module")
def folder(task, tmp_path_factory):
    made = tmp_path_factory.mktemp(task.info.id)
    task.prepare(made)
    return made


def contents(folder: Path):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_it_keeps_the_contract(task, folder):
    info = task.info
    assert isinstance(task, Task)
    assert info is task.info
    assert set(info.files) == set(contents(folder))
    assert info.private_rows >= 300
    assert info.public_rows >= 150
    assert info.submission.rows == info.public_rows + info.private_rows
    assert info.metric.better(info.m_init, info.baseline)
    assert info.metric.better(info.m_best, info.m_init)
    assert info.m_best == info.reference
    assert abs(info.reference - info.baseline) > 8 * info.standard_error
    assert "models" in info.m_reason
    assert info.standard_error > 0
    assert set(task.hidden) == set(DATA_PACKAGES)
    assert info.licence
    assert info.source


def test_it_conforms_to_the_suite_of_all_tasks(task, folder, tmp_path):
    grader = task.grader()
    made = Subject(task, task, task.info, folder, folder, grader, MemorySandbox, tmp_path)
    own = {"make": lambda: task, "subject": lambda: made}
    suite = type("Prepared", (TaskConformance,), {k: staticmethod(f) for k, f in own.items()})
    results = list(run_checks(suite, without=PROOFS | REPEATED))
    assert [result for result in results if result.outcome != "ok"] == []
    assert len(results) == 13


def test_the_tables_are_as_described(task, folder):
    info = task.info
    train, test = pd.read_csv(folder / "train.csv"), pd.read_csv(folder / "test.csv")
    sample = pd.read_csv(folder / "sample_submission.csv")
    assert len(train) == info.train_rows
    assert len(test) == len(sample) == info.submission.rows
    assert list(sample.columns) == ["id", *info.submission.columns]
    assert list(train.columns) == [*test.columns, *info.target]
    assert sample["id"].tolist() == test["id"].tolist()
    assert not set(train["id"]) & set(test["id"])
    text = (folder / "description.md").read_text()
    assert text == info.description
    assert f"{len(train)} " in text
    assert info.metric.name in text
    assert all(f"`{column}`" in text for column in train.columns)
    assert "public" not in text
    assert "private" not in text


def test_two_instances_agree_to_the_byte(task, folder, tmp_path):
    other = make(task.info.id)
    other.prepare(tmp_path)
    assert contents(tmp_path) == contents(folder)
    assert other.info == task.info
    times = {path.stat().st_mtime for path in [*tmp_path.iterdir(), *folder.iterdir()]}
    assert len(times) == 1


def test_the_data_never_changes_between_releases(task):
    assert task.info.data_hash == HASHES[task.info.id]


def test_the_stated_baseline_is_the_sample_submissions_score(task, folder):
    grade = task.grader().grade((folder / "sample_submission.csv").read_bytes())
    assert grade.valid
    assert grade.private == task.info.baseline


def test_no_place_and_no_id_tells_public_from_private(task, folder):
    """Public rows lie at the places of a random draw: their mean place, their runs, and their
    number in each tenth of the file are within four standard deviations of chance."""
    public = _public(task)
    ids = pd.read_csv(folder / "test.csv")["id"].to_numpy()
    assert (np.diff(ids) == 1).all()
    count, share = len(public), public.mean()
    places = np.flatnonzero(public)
    spread = np.sqrt((count**2 - 1) / 12 / len(places) * (1 - share))
    assert abs(places.mean() - (count - 1) / 2) < 4 * spread
    runs = 1 + (np.diff(public.astype(int)) != 0).sum()
    chance = 1 + 2 * count * share * (1 - share)
    assert abs(runs - chance) < 4 * 2 * np.sqrt(count) * share * (1 - share)
    tenths = [part.sum() for part in np.array_split(public, 10)]
    size = count / 10
    assert all(abs(got - size * share) < 4 * np.sqrt(size * share * (1 - share)) for got in tenths)


def _public(task):
    grader = task.grader()
    found = np.zeros(task.info.submission.rows, dtype=bool)
    found[grader._public] = True
    return found


def test_a_one_cell_change_moves_exactly_one_of_the_two_scores():
    """The two parts are disjoint, and together they are the whole test file."""
    task = make("temperature")
    info = task.info
    ids = range(info.train_rows, info.train_rows + info.submission.rows)
    frame = pd.DataFrame({"id": ids, "temp_max": 15.0})
    before = task.grader().grade(frame.to_csv(index=False).encode())
    moved = []
    for row in range(0, info.submission.rows, 20):
        frame.loc[row, "temp_max"] = 500.0
        after = task.grader().grade(frame.to_csv(index=False).encode())
        frame.loc[row, "temp_max"] = 15.0
        moved.append((after.public != before.public, after.private != before.private))
    assert set(moved) == {(True, False), (False, True)}


def test_flights_keeps_real_categories_missing_values_and_no_later_knowledge(tmp_path):
    make("flights").prepare(tmp_path)
    train = pd.read_csv(tmp_path / "train.csv")
    assert train["carrier"].nunique() > 10
    assert 0.05 < train["plane_year"].isna().mean() < 0.5
    assert train["wind_gust"].isna().mean() > 0.5
    assert 0.15 < train["late"].mean() < 0.35
    assert not {"dep_delay", "arr_delay", "dep_time", "arr_time", "air_time"} & set(train.columns)


def test_flights_are_joined_with_their_own_plane_and_hour():
    flights = pd.read_csv(io.BytesIO(_source("FLIGHTS").read()))
    weather = pd.read_csv(io.BytesIO(_source("WEATHER").read()))
    from mlxlab.plugins.tasks.flights import table

    row = table().iloc[0]
    names = ["month", "day", "sched_dep_time", "sched_arr_time", "carrier", "origin", "dest"]
    found = flights[(flights[names] == row[names]).all(axis=1)].iloc[0]
    assert (found["arr_delay"] >= 15) == row["late"]
    hour = weather[
        (weather["origin"] == row["origin"])
        & (weather["month"] == row["month"])
        & (weather["day"] == row["day"])
        & (weather["hour"] == row["sched_dep_time"] // 100)
    ].iloc[0]
    assert round(hour["temp"], 2) == row["temp"]


def test_mnist_images_are_aligned_with_the_tables(tmp_path):
    task = make("mnist")
    task.prepare(tmp_path)
    train = np.load(tmp_path / "train_images.npy")
    test = np.load(tmp_path / "test_images.npy")
    assert (train.shape, train.dtype) == ((3000, 28, 28), np.uint8)
    assert (test.shape, test.dtype) == ((2000, 28, 28), np.uint8)
    assert task.info.modality == "image"
    labels = pd.read_csv(tmp_path / "train.csv")["label"].to_numpy()
    middles = np.array([train[labels == digit].mean(axis=0).ravel() for digit in range(10)])
    flat = test.reshape(len(test), -1)
    nearest = ((flat[:, None] - middles[None]) ** 2).sum(axis=2).argmin(axis=1)
    rows = pd.DataFrame({"id": pd.read_csv(tmp_path / "test.csv")["id"], "label": nearest})
    grade = task.grader().grade(rows.to_csv(index=False).encode())
    assert grade.private > 0.7
    assert grade.public > 0.7


def _source(name):
    from mlxlab.plugins.tasks import flights

    return getattr(flights, name)


@pytest.fixture
def package(tmp_path, monkeypatch):
    home = tmp_path / "lendata"
    home.mkdir()
    (home / "__init__.py").write_text("raise RuntimeError('a data package is never imported')")
    (home / "table.csv").write_bytes(b"a,b\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    return hashlib.sha256(b"a,b\n").hexdigest()


def test_a_source_is_read_without_importing_its_package(package):
    assert Source("lendata", "table.csv", package, "1.0").read() == b"a,b\n"


def test_other_data_than_the_tasks_own_is_refused(package):
    with pytest.raises(TaskError) as caught:
        Source("lendata", "table.csv", "0" * 64, "1.0").read()
    message = str(caught.value)
    assert "table.csv of lendata (version unknown) is not the data" in message
    assert "lendata==1.0" in message


@pytest.mark.parametrize("name", ["lendata", "no_such_package"])
def test_a_missing_source_says_what_to_install(package, name):
    with pytest.raises(TaskError, match=f"pip install .*{name}==1.0"):
        Source(name, "absent.csv", package, "1.0").read()


def test_a_broken_archive_is_named(package, tmp_path):
    (tmp_path / "lendata" / "table.csv.gz").write_bytes(b"rubbish")
    with pytest.raises(TaskError, match="could not be read"):
        Source("lendata", "table.csv.gz", package, "1.0").read()
