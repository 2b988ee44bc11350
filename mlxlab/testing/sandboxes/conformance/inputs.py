"""The task's files: there for everybody, and never changed."""

from __future__ import annotations

from mlxlab.core.sandbox import SandboxFileError
from mlxlab.testing.sandboxes.conformance.harness import INPUTS, Harness, raises

_CHANGES = """
import os, shutil, sys
inside = (
    lambda: open("input/train.csv", "a").write("more"),
    lambda: open("input/new", "w").close(),
    lambda: os.chmod("input/train.csv", 0o777),
    lambda: os.rename("input/deep", "input/other"),
)
whole = (
    lambda: os.remove("input/train.csv"),
    lambda: shutil.rmtree("input"),
    lambda: os.rename("input", "moved"),
)
for change in {"inside": inside, "whole": whole}[sys.argv[1]]:
    try: change()
    except OSError: pass
"""


class Inputs(Harness):
    """`input/` holds what the sandbox was opened with."""

    def test_the_code_reads_them(self) -> None:
        """The code finds the task's files in `input/`, at their relative places."""
        assert self.says("print(repr(open('input/train.csv').read()))") == r"'id,x\n1,2\n'"
        assert self.says("print(open('input/deep/er/notes.txt').read())") == "deep"

    def test_they_are_read_and_listed_from_outside(self) -> None:
        """Inputs are read and listed like any file of the workspace."""
        for name, data in INPUTS.items():
            assert self.read(f"input/{name}") == data
        assert self.names("input") == ["input/deep", "input/train.csv"]

    def test_the_host_does_not_change_them(self) -> None:
        """Writing to `input/` and removing from it is refused."""
        for path in ("input", "input/new", "./input/train.csv", "a/../input/x"):
            with raises(SandboxFileError):
                self.write(path, b"")
        for path in ("input", "input/train.csv"):
            with raises(SandboxFileError):
                self.wait(self.sandbox.remove(path))

    def test_the_code_does_not_change_them(self) -> None:
        """What the code does to its inputs, the next execution does not meet."""
        for changes in ("inside", "whole"):
            if self.sandbox.isolation.files:
                self.says(_CHANGES, changes)
            assert self.says("print(open('input/train.csv').read())") == "id,x\n1,2"
            assert self.read("input/train.csv") == INPUTS["train.csv"]
            assert self.names("input") == ["input/deep", "input/train.csv"]

    def test_they_are_no_part_of_a_state(self) -> None:
        """Inputs are no part of a state, which is what the agent made."""
        self.write("own", b"")
        assert set(self.store.manifest(self.snapshot())) == {"own"}
