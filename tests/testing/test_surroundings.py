"""What the kit notices around a call."""

import datetime
import inspect
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import date as Day
from datetime import datetime as REAL
from pathlib import Path

import pytest
from numpy import random as numpy_random

from mlxlab.testing.fresh import CannotBeSent, called_afresh
from mlxlab.testing.surroundings import elsewhere, unseeing, untouched


class Here:
    """Something of this module."""


class Unread:
    """What another process does not know."""

    def __reduce__(self) -> tuple[object, ...]:
        return __import__, ("no_such_module",)


def test_elsewhere_is_another_place_and_time_and_ends() -> None:
    before = Path.cwd(), dict(os.environ), random.getstate(), time.time()
    with elsewhere():
        assert Path.cwd() != before[0]
        assert os.environ["PATH"] != before[1]["PATH"]
        assert random.getstate() != before[2]
        assert time.time() > before[3] + 86_400
        assert time.time_ns() / 1e9 == pytest.approx(time.time(), abs=60)
    assert (Path.cwd(), dict(os.environ), random.getstate()) == before[:3]
    assert time.time() < before[3] + 86_400


def test_elsewhere_is_another_day_under_every_name() -> None:
    names: dict[str, Callable[[], object]] = {
        "datetime": lambda: datetime.datetime.now().year,
        "its own name": lambda: Day.today().year,
        "utc": lambda: datetime.datetime.now(datetime.UTC).date(),
        "strftime": lambda: time.strftime("%Y-%m-%d"),
        "localtime": lambda: time.localtime()[:3],
        "ctime": lambda: time.ctime()[:10],
    }
    now = {name: tell() for name, tell in names.items()}
    with elsewhere(Here()):
        for name, tell in names.items():
            assert tell() != now[name], name
        day = Day(2026, 1, 2)
        assert isinstance(day, Day) and repr(day) == "datetime.date(2026, 1, 2)"
        assert isinstance(REAL(2026, 1, 2), datetime.datetime)
        assert time.gmtime(0).tm_year == 1970 and time.strftime("%Y", time.gmtime(0)) == "1970"
    assert type(Day.today()) is datetime.date
    assert {name: tell() for name, tell in names.items()} == now


def test_places_can_stay_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = {"HOME": "/root", "XDG_CACHE_HOME": "caches", "https_proxy": "http://here:1"}
    kept |= {"SOME_DATA": "/data", "PATH": "/bin:/usr/bin"}
    for name, value in {**kept, "LANG": "C"}.items():
        monkeypatch.setenv(name, value)
    with elsewhere(same_places=True):
        assert kept.items() <= os.environ.items()
        assert os.environ["LANG"] == "C, elsewhere"


def test_a_fresh_process_has_other_hashes_and_says_what_failed() -> None:
    assert called_afresh(hash, "a word") != hash("a word")
    with pytest.raises(AssertionError, match="in another process it fails: ValueError"):
        called_afresh(int, "a word")
    for unsent in (lambda: None, Unread()):
        with pytest.raises(CannotBeSent):
            called_afresh(repr, unsent)


def test_what_is_left_elsewhere_is_named() -> None:
    with pytest.raises(AssertionError, match=r"left notes\.txt in the current folder"), elsewhere():
        Path("notes.txt").write_text("left")


LOOKS: dict[str, Callable[[], object]] = {
    "open": lambda: Path(os.devnull).read_text(),
    "os.listdir": lambda: os.listdir("."),  # noqa: PTH208
    "os.scandir": lambda: list(Path.cwd().iterdir()) and list(os.scandir(".")),
    "subprocess.Popen": lambda: subprocess.run([sys.executable, "-c", ""], check=True),
}


@pytest.mark.parametrize("event", LOOKS)
def test_a_look_outside_is_named(event: str) -> None:
    with pytest.raises(AssertionError, match=event), unseeing():
        LOOKS[event]()


class Looking:
    def look(self) -> None:
        Path(os.devnull).read_text()


def test_a_look_is_told_with_its_line() -> None:
    line = inspect.getsourcelines(Looking.look)[1] + 1
    with (
        pytest.raises(AssertionError, match=rf"null' \(tests/testing/test_surroundings\.py:{line}"),
        unseeing(Looking()),
    ):
        Looking().look()


def test_compiling_is_no_look_and_other_threads_do_not_count() -> None:
    with unseeing():
        with pytest.raises(SyntaxError):
            compile("return 1", "program", "exec")
        reading = threading.Thread(target=Path(os.devnull).read_text)
        reading.start()
        reading.join()


CHANGES: dict[str, Callable[[], object]] = {
    "the global random numbers": lambda: random.seed(0),
    "numpy's global random numbers": lambda: numpy_random.seed(0),
    "what was printed: 'hello": lambda: print("hello"),
    "the import path": lambda: sys.path.append("elsewhere"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_is_named(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])
    drawn = random.getstate()
    with pytest.raises(AssertionError, match=what), untouched():
        CHANGES[what]()
    assert random.getstate() == drawn


def test_a_process_that_is_left_is_named_and_one_that_ends_is_not() -> None:
    with untouched():
        ending = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(0.1)"])
        threading.Timer(0.2, ending.wait).start()
        time.sleep(0.3)
    with pytest.raises(AssertionError) as failure, untouched():
        left = subprocess.Popen(["sleep", "60"])
    left.kill()
    left.wait()
    assert str(failure.value).startswith(f"it left the process sleep ({left.pid})")
