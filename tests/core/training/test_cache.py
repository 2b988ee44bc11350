"""What was carried out before, on disk: torn, foreign, shared and full."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlxlab.core.records import Observation
from mlxlab.core.training.cache import Outcome, TransitionCache

from .worlds import arena, off, state


def outcome(key: str, message: str = "") -> Outcome:
    return Outcome(key=key, observation=Observation(status="ok", message=message), seconds=1.0)


def filled(folder: Path, count: int = 3) -> Path:
    cache = TransitionCache(folder)
    for number in range(count):
        cache.put(outcome(f"k{number}"), float(number))
    cache.close()
    return folder / "transitions.jsonl"


def test_what_was_put_is_there_again_and_counted(tmp_path: Path) -> None:
    filled(tmp_path)
    cache = TransitionCache(tmp_path)
    assert (cache.get("k1"), cache.get("other")) == (outcome("k1"), None)
    assert cache.get("k1", lambda outcome: False) is None
    assert (len(cache), cache.hits, cache.misses, cache.private("k2")) == (3, 1, 2, 2.0)


def test_a_torn_last_line_counts_as_nothing_and_later_ones_stay_whole(tmp_path: Path) -> None:
    path = filled(tmp_path)
    path.write_bytes(path.read_bytes()[:-9])
    told: list[str] = []
    cache = TransitionCache(tmp_path, told.append)
    assert (len(cache), told) == (2, [])
    cache.put(outcome("k2", "anew"))
    cache.close()
    assert TransitionCache(tmp_path).get("k2") == outcome("k2", "anew")


def test_lines_of_another_schema_or_none_are_left_out_and_told(tmp_path: Path) -> None:
    path = filled(tmp_path)
    lines = path.read_text().splitlines()
    later = json.dumps({**json.loads(lines[0]), "schema": 2})
    path.write_text("\n".join([later, "nonsense", *lines[1:], "\x00", ""]))
    told: list[str] = []
    assert len(TransitionCache(tmp_path, told.append)) == 2
    assert told == [
        f"{path}: lines of another schema than 1, left out: 1.",
        f"{path}: lines that cannot be read, left out: 2.",
    ]


def test_processes_that_append_at_one_time_leave_whole_lines(tmp_path: Path) -> None:
    program = (
        "import sys\nfrom pathlib import Path\n"
        "from mlxlab.core.training.cache import TransitionCache\n"
        "from tests.core.training.test_cache import outcome\n"
        "cache = TransitionCache(Path(sys.argv[1]))\n"
        "for n in range(200): cache.put(outcome(f'{sys.argv[2]} {n}', 'x' * 9000), 1.0)\n"
    )
    started = [
        subprocess.Popen([sys.executable, "-c", program, str(tmp_path), str(n)]) for n in range(3)
    ]
    assert [process.wait(120) for process in started] == [0, 0, 0]
    told: list[str] = []
    assert (len(TransitionCache(tmp_path, told.append)), told) == (600, [])


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk that is soon full."""
    place = tmp_path / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("no right to mount a file system")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def test_a_full_disk_costs_the_file_and_nothing_else(small: Path) -> None:
    told: list[str] = []
    cache = TransitionCache(small / "cache", told.append)
    for number in range(20):
        cache.put(outcome(f"k{number}", "x" * 9000), 1.0)
    with arena(cache=cache) as it:
        taken = it.take([state(n) for n in range(3)], [off(1.0)] * 3)
    assert [t.score for t in taken] == [1.0] * 3 and taken[2].cached
    assert (len(cache), cache.private("k19")) == (21, 1.0)
    assert told == [f"The cache {small / 'cache'} cannot be written: No space left on device."]
    assert told == [cache.problem]
    cache.close()
    again: list[str] = []
    assert 0 < len(TransitionCache(small / "cache", again.append)) < 20
    assert again == []


def test_a_folder_that_cannot_be_made_is_told_and_memory_does(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    told: list[str] = []
    cache = TransitionCache(tmp_path / "file" / "cache", told.append)
    cache.put(outcome("k"))
    assert cache.get("k") == outcome("k") and len(told) == 1
