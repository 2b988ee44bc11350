import gc
from pathlib import Path
from typing import Any

import pytest

from mlxlab.core.errors import PluginError, TaskError
from mlxlab.core.inputs import prepared
from mlxlab.core.tasked import found_grader
from mlxlab.testing import ToyTask


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


def test_public_files_are_made_once_and_made_anew_when_damaged(cache: Path) -> None:
    folder = prepared(ToyTask())
    whole = {path.name: path.read_bytes() for path in folder.iterdir()}
    inode = folder.stat().st_ino
    assert prepared(ToyTask()).stat().st_ino == inode
    for damage in (
        lambda: (folder / "test.csv").write_text("id\n"),
        lambda: (folder / "test.csv").unlink(),
        lambda: (folder / "more.csv").write_text("x"),
    ):
        damage()
        assert prepared(ToyTask()) == folder
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == whole
    assert not list(cache.rglob(".new-*"))


def test_a_cache_that_cannot_be_written_is_one_line_with_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(TaskError, match="Set XDG_CACHE_HOME"):
        prepared(ToyTask())


class Writing(ToyTask):
    """Writes what a test gives it beside the toy's files."""

    more: tuple[str, ...] = ()

    def prepare(self, folder: Path) -> None:
        super().prepare(folder)
        for name in self.more:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text("x")


OWN = ToyTask().info.files
WHO = "task 'x' of acme 1.0"


@pytest.mark.parametrize(
    ("files", "more", "told"),
    [
        (OWN, ("SAMPLE.CSV",), "wrote SAMPLE.CSV, which info.files does not name"),
        (OWN, ("deep/test.csv",), "wrote deep/test.csv, which info.files does not name"),
        ((*OWN, "more.csv"), (), "did not write more.csv, which info.files names"),
        ((*OWN, "images/"), ("images.csv",), "wrote images.csv, which info.files does not name"),
        ((*OWN, "images/"), (), "did not write images/, which info.files names"),
    ],
)
def test_files_under_other_names_are_not_kept(
    cache: Path, files: tuple[str, ...], more: tuple[str, ...], told: str
) -> None:
    task = Writing(files=files)
    task.more = more
    with pytest.raises(PluginError) as failure:
        prepared(task, owner=WHO)
    assert failure.value.message == f"{WHO}: prepare {told}."
    assert list((cache / "mlxlab" / "inputs").iterdir()) == []


def test_a_mended_task_goes_on_where_the_same_version_failed(cache: Path) -> None:
    task = Writing(files=(*OWN, "images/"))
    with pytest.raises(PluginError):
        prepared(task, owner=WHO)
    task.more = ("images/a.png", "images/deep/b.png")
    assert (prepared(task, owner=WHO) / "images" / "deep" / "b.png").is_file()


def test_another_version_of_a_task_prepares_anew(cache: Path) -> None:
    first = prepared(ToyTask(), owner=WHO)
    assert prepared(ToyTask(), owner=WHO) == first
    assert prepared(ToyTask(), owner="task 'x' of acme 1.1") != first


class Async(ToyTask):
    async def prepare(self, folder: Path) -> None:  # type: ignore[override]
        super().prepare(folder)

    async def grader(self) -> ToyTask:  # type: ignore[override]
        return self


@pytest.mark.filterwarnings("error")
def test_a_task_that_is_async_is_told_so(cache: Path) -> None:
    task: Any = Async()
    with pytest.raises(PluginError) as failure:
        prepared(task, owner=WHO)
    assert failure.value.message == f"{WHO}: prepare is async, where def prepare(...) is meant."
    assert failure.value.call == "prepare"
    with pytest.raises(PluginError, match=r"grader is async, where def grader\(\.\.\.\) is meant"):
        found_grader(WHO, task)
    gc.collect()
