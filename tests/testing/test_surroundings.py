"""What the kit notices around a call."""

import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mlxlab.testing.surroundings import elsewhere, unseeing, untouched


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


def test_compiling_is_no_look_and_other_threads_do_not_count() -> None:
    with unseeing():
        with pytest.raises(SyntaxError):
            compile("return 1", "program", "exec")
        reading = threading.Thread(target=Path(os.devnull).read_text)
        reading.start()
        reading.join()


CHANGES: dict[str, Callable[[], object]] = {
    "the global random numbers": lambda: random.seed(0),
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
