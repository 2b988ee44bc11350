"""States that were made in one sandbox and are restored in another."""

from __future__ import annotations

import io

from mlxlab.core.records import CLEAN
from mlxlab.core.sandbox import SandboxSetup
from mlxlab.core.states import FileRef
from mlxlab.testing.sandboxes.conformance.states import BUILD, States
from mlxlab.testing.sandboxes.memory import MemorySandbox


class Transfer(States):
    """A state belongs to the run, not to the sandbox it was made in."""

    def test_a_state_goes_to_another_kind_and_back(self) -> None:
        """A state goes to a sandbox of another kind and back, and is the same."""
        self.says(BUILD)
        before, state = self.tree(), self.snapshot()
        self.restore(CLEAN)
        other = MemorySandbox(lambda *_: None)
        self.wait(other.open(SandboxSetup(scratch=self.folder / "memory")))
        self.wait(other.restore(self.store, state))
        assert self.wait(other.read("a/b/c.txt")) == b"c"
        assert self.wait(other.snapshot(self.store, CLEAN)).state == state
        self.wait(other.write("from-there", b"more"))
        grown = self.wait(other.snapshot(self.store, state)).state
        assert grown is not None
        self.restore(grown)
        assert self.read("from-there") == b"more"
        assert [line for line in self.tree() if "from-there" not in line] == before

    def test_a_state_goes_to_another_of_the_same_kind(self) -> None:
        """A state goes to another sandbox of the same kind, and is the same."""
        self.says(BUILD)
        before, state = self.tree(), self.snapshot()
        other = self.opened("second")
        here = self.sandbox
        try:
            self.wait(other.restore(self.store, state))
            type(self).sandbox = other
            assert self.tree() == before and self.snapshot(state) == state
        finally:
            type(self).sandbox = here
            self.wait(other.close())

    def test_a_state_made_by_hand(self) -> None:
        """A state that was never seen here is restored with modes and empty folders."""
        digest, size = self.store.put(io.BytesIO(b"#!/bin/sh"))
        state = self.store.commit(
            CLEAN,
            {
                "x/y/tool": FileRef(sha256=digest, size=size, mode=0o755),
                "x/plain": FileRef(sha256=digest, size=size, mode=0o640),
                "x/none/at/all": FileRef(kind="dir"),
            },
        )
        self.restore(state)
        code = (
            "import os\n"
            "for p in ('x/y/tool', 'x/plain'): print(oct(os.stat(p).st_mode & 0o7777))\n"
            "print(os.listdir('x/none/at/all'))"
        )
        assert self.says(code).split() == ["0o755", "0o640", "[]"]
