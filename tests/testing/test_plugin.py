"""The pytest plugin, in a pytest of its own: what it finds, and that others do not notice it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

SUITES = '''
import os, subprocess, threading, time
from mlxlab.core.errors import MissingExtra
from mlxlab.testing.kit import Conformance

class Kind(Conformance):
    prefix = "toy"
    def test_one(self):
        """Does nothing."""
    def test_two(self):
        """Changes what is asked for."""
        self.change()
    def change(self): ...

class TestGood(Kind):
    @classmethod
    def setup_class(cls):
        os.environ["TOY_KEY"] = "x"
    @classmethod
    def teardown_class(cls):
        del os.environ["TOY_KEY"]

class TestVariable(Kind):
    @classmethod
    def setup_class(cls):
        os.environ["TOY_LEFT"] = "x"

class TestFolder(Kind):
    def change(self):
        os.chdir("/")

class TestThread(Kind):
    def change(self):
        threading.Thread(target=time.sleep, args=(60,), name="toy", daemon=True).start()

class TestProcess(Kind):
    def change(self):
        subprocess.Popen(["sleep", "60"])

class TestLacking(Kind):
    def change(self):
        raise MissingExtra("The change", "changes")

def test_a_task(toy_task):
    assert toy_task.info.id == "toy"

def test_handlers(left_as_found):
    import logging
    logging.getLogger().addHandler(logging.NullHandler())

class Chatty:
    def says(self, code, **limits):
        return "hello"

def test_values():
    from mlxlab.testing import SandboxConformance
    SandboxConformance.test_stdin_is_empty(Chatty())
'''
PLAIN = """
import os, sys
def test_of_somebody_else():
    os.environ["OTHERS"] = "may"
    assert not [name for name in sys.modules if name.startswith("mlxlab.core")]
    assert sorted(name for name in sys.modules if name.startswith("mlxlab")) == [
        "mlxlab", "mlxlab.testing", "mlxlab.testing.plugin"
    ]
"""


def ran(folder: Path, text: str, *words: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_it.py").write_text(text)
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *words, "test_it.py"],
        cwd=folder,
        env={**os.environ, "PYTEST_ADDOPTS": ""},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_what_a_suite_leaves_behind_is_found(tmp_path: Path) -> None:
    done = ran(tmp_path, SUITES)
    told = done.stdout
    assert "7 passed" not in told and done.returncode == 1
    assert "TestVariable left something behind: the environment variable TOY_LEFT" in told
    assert "the working folder is /, was" in told
    assert "the thread toy runs on" in told
    running = re.search(r"the process sleep \((\d+)\) runs on", told)
    assert running, told
    os.kill(int(running[1]), signal.SIGKILL)
    assert "logging got a NullHandler" in told
    assert "TestGood" not in told.partition("short test summary")[2]
    assert "assert 'hello' ==" in told
    assert "4 failed, 10 passed, 1 skipped, 2 errors" in told, told


MISSPELT = '''
from mlxlab.testing import RewardConformance

class Base(RewardConformance):
    """For others to inherit from."""

class TestBase(RewardConformance):
    """For another test class to inherit from."""

class TestMade(TestBase):
    def test_nothing(self): ...
    @classmethod
    def make(cls): ...

class TestNone(RewardConformance):
    __test__ = False

class TestMine(RewardConformance):
    @classmethod
    def mak(cls): ...
'''


def test_a_suite_that_lacks_what_it_has_to_define_is_no_silent_nothing(tmp_path: Path) -> None:
    done = ran(tmp_path, MISSPELT)
    told = "TestMine has no make, so that none of its checks could be made. It has 'mak'"
    assert told in done.stdout, done.stdout
    assert done.returncode != 0 and done.stdout.count(" has no make, so that") == 1


BASICS = """
from mlxlab.testing.kit import Conformance

class Kind(Conformance):
    prefix = "toy"
    basics = ("works", "answers")
    said = "yes"
    def test_answers(self):
        "Says something."
        assert self.said, "it says nothing"
    def test_always(self):
        "Is fine."
    def test_works(self):
        "Is there."

class TestGood(Kind): ...

class TestMute(Kind):
    said = ""

class TestKnown(Kind):
    said = ""
    known_gaps = {"toy.answers": "it is shy"}

class TestNever(Kind):
    @classmethod
    def setup_class(cls):
        raise OSError("no engine")

class TestMore(Kind):
    @classmethod
    def test_of_its_class(cls):
        raise ValueError("no check")

def test_of_somebody_else(): ...
"""


def test_one_failed_basic_check_stands_for_its_class(tmp_path: Path) -> None:
    done = ran(tmp_path, BASICS, "-vv", "-rs")
    lines = [line.partition("::")[2] for line in done.stdout.splitlines()]
    told = [line.split()[:2] for line in lines if line.startswith("Test")]
    assert told[:9] == [
        *(["TestGood::test_works", "PASSED"], ["TestGood::test_answers", "PASSED"]),
        ["TestGood::test_always", "PASSED"],
        *(["TestMute::test_works", "PASSED"], ["TestMute::test_answers", "FAILED"]),
        ["TestMute::test_always", "SKIPPED"],
        *(["TestKnown::test_works", "PASSED"], ["TestKnown::test_answers", "XFAIL"]),
        ["TestKnown::test_always", "PASSED"],
    ]
    assert "toy.answers comes first: it failed" in done.stdout
    assert "toy.works comes first: it failed" in done.stdout, "nothing could be set up"
    assert "2 failed, 10 passed, 3 skipped, 1 xfailed, 1 error" in done.stdout, done.stdout


ENGINES = """
import pytest
from mlxlab.testing.kit import Conformance

class Kind(Conformance):
    prefix = "toy"
    basics = ("works",)
    def test_always(self):
        "Is fine."
    def test_works(self):
        "Is there."
        assert self.engine == "good"

class TestEach(Kind):
    @pytest.fixture(scope="class", params=["bad", "good"], autouse=True)
    def engine_of(self, request):
        request.cls.engine = request.param
        print(f"<{request.param}>")
"""


def test_engines_of_one_class_do_not_hold_each_other(tmp_path: Path) -> None:
    done = ran(tmp_path, ENGINES, "-vv", "-s")
    assert "1 failed, 2 passed, 1 skipped" in done.stdout, done.stdout
    assert re.findall("<(bad|good)>", done.stdout) == ["bad", "good"], "each is set up once"


NAMES = {
    "class RelayTests(Whole): ...": "RelayTests is no name for a test class",
    "class Relay(Whole): ...": "warning",
    "class TestMine(Whole):\n    known_gap = {'toy.one': 'shy'}": "did you mean 'known_gaps'?",
    "class TestMine(Whole):\n    casess = 3": "testMine: it has 'casess': did you mean 'cases'?",
    "class TestMine(TrainerConformance): ...": "TestMine has no make, so that none",
    "class Relay(Whole):\n    __test__ = False": "no tests",
    "class TestMine(Whole):\n    known_maps = {'a': 1}": "2 passed",
}


@pytest.mark.parametrize("text", NAMES)
def test_a_suite_of_which_something_would_be_left_out_is_told(tmp_path: Path, text: str) -> None:
    before = """
from mlxlab.testing import TrainerConformance
from mlxlab.testing.kit import Conformance
class Whole(Conformance):
    prefix, declarable = "toy", ("cases",)
    def test_one(self): ...
    def test_two(self): ...
class TestOther(Whole):
    __test__ = False
"""
    done = ran(tmp_path, f"{before}\n{text}\n")
    assert NAMES[text].casefold() in done.stdout.casefold(), done.stdout


def test_others_do_not_notice_it(tmp_path: Path) -> None:
    done = ran(tmp_path, PLAIN)
    assert "1 passed" in done.stdout, done.stdout
