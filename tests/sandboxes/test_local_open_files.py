"""What a program holds at its end is let go, as an interpreter does."""

import time
from collections.abc import Iterator

import pytest

from tests.sandboxes.conftest import Box, open_box

OPEN = "file = open('left', 'w'); file.write('hello')\n"


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    with open_box() as box:
        yield box


def left(box: Box) -> str:
    found = bytes(box.read("left")).decode()
    box.remove("left")
    return found


@pytest.mark.parametrize(
    "end",
    [
        "import copyreg\ndef pickled(x): return file\ncopyreg.pickle(type(file), pickled)",
        "import sys\nclass Both:\n    def __init__(self, *to): self.to = to\n"
        "    def write(self, text): [each.write(text) for each in self.to]\n"
        "    def flush(self): pass\nsys.stdout = Both(sys.stdout, file)",
        "import gc; gc.disable(); cycle = [file]; cycle.append(cycle)",
        "import sys; del sys.modules['__main__']",
        "import sys; sys.modules['mine'] = object()",
    ],
    ids=["library", "stream", "cycle", "nameless", "odd"],
)
def test_whoever_holds_a_file_it_is_written(box: Box, end: str) -> None:
    assert box.run(OPEN + end).stderr == ""
    assert left(box) == "hello"


def test_the_programs_own_modules_are_let_go(box: Box) -> None:
    box.write("mine/__init__.py", b"from mine import deep")
    box.write("mine/deep.py", (OPEN + "import gzip\nzipped = gzip.open('z', 'w')").encode())
    assert box.says("import mine; mine.deep.zipped.write(b'hello')") == ""
    assert left(box) == "hello"
    assert box.says("import gzip; print(gzip.open('z').read().decode())") == "hello"


def test_destructors_are_run_and_find_their_module(box: Box) -> None:
    code = "def say(*_): print('gone')\nclass Held:\n    def __del__(self): say()\nheld = Held()\n"
    for end in ("", "import sys; sys.excepthook = say"):
        assert box.says(code + end) == "gone"


def test_what_a_destructor_writes_to_a_file_that_is_held_elsewhere_is_there(box: Box) -> None:
    held = "import copyreg; copyreg.dispatch_table['mine'] = file\n"
    code = "class Held:\n    def __del__(self, file=file): file.write(', world')\nheld = Held()"
    assert box.says(OPEN + held + code) == ""
    assert left(box) == "hello, world"


def test_a_destructor_that_fails_is_told_and_changes_nothing(box: Box) -> None:
    result = box.run(OPEN + "class Held:\n    def __del__(self): 1 / 0\nheld = Held()")
    assert (result.outcome, result.exit_code) == ("exited", 0)
    assert "ZeroDivisionError" in result.stderr
    assert left(box) == "hello"


def test_a_thread_that_never_ends_is_not_waited_for(box: Box) -> None:
    code = "import threading, time\ndef work():\n    while True: time.sleep(0.001)\n"
    began = time.monotonic()
    result = box.run(OPEN + code + "threading.Thread(target=work, daemon=True).start()")
    assert (result.exit_code, result.stderr, left(box)) == (0, "", "hello")
    assert time.monotonic() - began < 10
