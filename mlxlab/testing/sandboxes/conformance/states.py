"""Snapshots of the workspace and the way back."""

from __future__ import annotations

import hashlib

from mlxlab.core.errors import RecordError
from mlxlab.core.records import CLEAN
from mlxlab.core.states import FileRef, StateChange, StateStore
from mlxlab.testing.sandboxes.conformance.harness import Harness, raises

BUILD = """
import os
os.makedirs("a/b"); os.makedirs("empty/inner"); open("a/b/c.txt", "w").write("c")
open("tool.sh", "w").write("#!/bin/sh"); os.chmod("tool.sh", 0o755)
os.symlink("b/c.txt", "a/link"); os.symlink("../../tool.sh", "a/b/up")
os.symlink("input/train.csv", "data.csv"); open("no bytes", "w").close()
"""
_TREE = """
import os
for at, folders, files in os.walk("."):
    if at == ".": folders.remove("input")
    for name in folders + files:
        path = os.path.join(at, name)
        if os.path.islink(path): print("link", path, os.readlink(path))
        elif os.path.isdir(path): print("dir", path)
        else: print("file", path, oct(os.stat(path).st_mode), open(path, "rb").read())
"""


class States(Harness):
    """A state holds files, modes, empty folders and the links that stay inside."""

    def tree(self) -> list[str]:
        """Everything in the workspace, as the code sees it."""
        result = self.command("python", "-c", _TREE)
        assert result.exit_code == 0, result
        return sorted(result.stdout.splitlines())

    def test_a_state_is_restored_whole(self) -> None:
        """A restored workspace is as it was, and the same state again."""
        self.says(BUILD)
        before = self.tree()
        state = self.snapshot()
        self.says(
            "import shutil, os; shutil.rmtree('a'); os.remove('tool.sh'); open('empty/f', 'w')\n"
            "os.remove('data.csv'); os.mkdir('data.csv'); os.mkdir('tool.sh'); open('a', 'w')"
        )
        assert self.tree() != before
        self.restore(state)
        assert self.tree() == before
        assert self.snapshot(state) == state

    def test_what_is_unchanged_is_the_same_state(self) -> None:
        """An unchanged workspace is the same state: by content, not by time."""
        assert self.snapshot() == CLEAN
        self.write("x", b"content")
        state = self.snapshot()
        self.write("x", b"content")
        assert self.snapshot(state) == state == self.snapshot()

    def test_each_content_is_kept_once(self) -> None:
        """A content is kept once, however many files have it."""
        store = StateStore(self.folder / "single")
        self.says("for i in range(9): open(f'{i}', 'w').write('the same')")
        self.wait(self.sandbox.remove("solution.py"))
        self.wait(self.sandbox.snapshot(store, CLEAN))
        assert len(list((self.folder / "single" / "blobs").iterdir())) == 1

    def test_the_starter_files_are_the_clean_state(self) -> None:
        """The task's starter files are the clean state, both ways."""
        store = StateStore(self.folder / "starter", {"solution.py": b"starter", "a/b": b""})
        self.says(BUILD)
        self.wait(self.sandbox.restore(store, CLEAN))
        assert self.names() == ["a", "solution.py"] and self.read("solution.py") == b"starter"
        assert self.wait(self.sandbox.snapshot(store, CLEAN)).state == CLEAN

    def test_a_change_that_hides_is_seen(self) -> None:
        """A change that keeps size and time of modification makes another state."""
        self.says("open('x', 'w').write('one')")
        first = self.snapshot()
        self.says(
            "import os; t = os.stat('x'); open('x', 'r+').write('two')\n"
            "os.utime('x', ns=(t.st_atime_ns, t.st_mtime_ns))"
        )
        then, now = (self.store.manifest(state)["x"] for state in (first, self.snapshot(first)))
        assert then.sha256 != now.sha256, now
        self.restore(first)
        assert self.read("x") == b"one"

    def test_hard_links_do_not_tie_restored_files(self) -> None:
        """Files that were hard links of each other are restored as two."""
        self.says("import os; open('a', 'w').write('same'); os.link('a', 'b')")
        self.restore(self.snapshot())
        self.says("open('a', 'a').write('!')")
        assert (self.read("a"), self.read("b")) == (b"same!", b"same")

    def test_what_cannot_be_kept_is_left_out(self) -> None:
        """A state leaves out pipes, sockets, links to elsewhere, names that are no text."""
        self.says(
            "import os, socket\nos.mkfifo('fifo'); os.symlink('/etc/passwd', 'absolute')\n"
            "os.symlink('../../up', 'outside'); os.mkdir('odd'); open(b'odd/\\xff', 'w')\n"
            "socket.socket(socket.AF_UNIX).bind('socket'); os.symlink('.', 'loop')"
        )
        manifest = self.store.manifest(self.snapshot())
        kinds = {path: ref.kind for path, ref in manifest.items() if path != "solution.py"}
        assert kinds == {"loop": "link", "odd": "dir"}
        self.restore(CLEAN)
        assert self.names() == []

    def test_locked_and_deleted_folders_are_no_obstacle(self) -> None:
        """Rights that the code took away, or its own folder, are no obstacle to states."""
        self.says("import os; os.makedirs('a/b'); open('a/b/f', 'w').write('x')")
        state = self.snapshot()
        self.says("import os; os.chmod('a/b/f', 0); os.chmod('a/b', 0); os.chmod('a', 0o500)")
        self.snapshot(state)
        self.restore(CLEAN)
        assert self.names() == []
        self.restore(state)
        self.script("import os, shutil; shutil.rmtree(os.getcwd(), ignore_errors=True)")
        self.restore(state)
        assert self.says("open('a/b/new', 'w').close(); print(open('a/b/f').read())") == "x"

    def test_what_is_too_large_is_dropped_with_a_reason(self) -> None:
        """A workspace that is too large is dropped, with the reason."""
        self.write("small", b"s")
        state = self.snapshot()
        small = StateStore(self.folder / "small", max_bytes=1_000_000)
        self.says("open('large', 'wb').write(bytes(1_000_001))")
        kept = self.wait(self.sandbox.snapshot(small, CLEAN))
        assert kept.state is None and "1,000,000" in (kept.dropped or ""), kept
        self.restore(state)
        assert self.names() == ["small"]

    def test_states_that_no_store_makes_are_refused(self) -> None:
        """A state that is unknown, incomplete or leads outside is a RecordError."""
        bad = {
            "lost": FileRef(sha256="0" * 64, size=1),
            "absolute": FileRef(kind="link", target="/etc/passwd"),
            "outside": FileRef(kind="link", target="../x"),
            "setuid": FileRef(sha256=hashlib.sha256(b"").hexdigest(), mode=0o4755),
            "../up": FileRef(kind="dir"),
            "input/new": FileRef(kind="dir"),
        }
        for name, ref in bad.items():
            change = StateChange(parent=CLEAN, changed={name: ref})
            (self.store.folder / f"{change.id}.json").write_text(change.model_dump_json())
            with raises(RecordError):
                self.restore(change.id)
        with raises(RecordError):
            self.restore("0" * 64)
        assert self.says("print('usable')") == "usable"
