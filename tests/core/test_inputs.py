from pathlib import Path

import pytest

from mlxlab.core.errors import TaskError
from mlxlab.core.inputs import prepared
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
