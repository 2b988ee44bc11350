"""Files of the workspace, written and read from outside."""

from __future__ import annotations

import hashlib

from mlxlab.core.errors import SandboxError
from mlxlab.core.sandbox import SandboxFileError
from mlxlab.testing.sandboxes.conformance.harness import Harness, raises

_ODD = (
    *("a b", "-rf", "ä€😀", "a\nb", "$HOME", "'\"`", ".hidden", "a\\b", "*", "tab\there", "~"),
    *("\x01\x7f", "n" * 255, "deep/-er/ä/\n/x", "é" * 127),
)


class Files(Harness):
    """What is written is read, by the code and from outside."""

    def test_bytes(self) -> None:
        """A file holds the bytes that were written to it, whichever they are."""
        for data in (bytes(range(256)) * 17, b"", b"\r\n\0"):
            self.write("data.bin", data)
            assert self.read("data.bin") == data
        code = "import os; print(os.path.getsize('data.bin'), open('data.bin', 'rb').read())"
        assert self.says(code) == r"3 b'\r\n\x00'"

    def test_a_large_file(self) -> None:
        """A file of 50 MB goes in and comes back."""
        data = hashlib.sha256(b"x").digest() * (50_000_000 // 32)
        self.write("large.bin", data)
        code = (
            "import hashlib; d = open('large.bin', 'rb').read()\n"
            "open('back.bin', 'wb').write(d[::-1]); print(hashlib.sha256(d).hexdigest())"
        )
        assert self.says(code) == hashlib.sha256(data).hexdigest()
        assert self.read("back.bin") == data[::-1]

    def test_odd_names(self) -> None:
        """Whatever the file system allows is a name, outside and for the code."""
        for path in _ODD:
            self.write(path, path.encode())
        found = self.says("import sys\nfor p in sys.argv[1:]: print([open(p).read()])", *_ODD)
        assert found.splitlines() == [str([path]) for path in _ODD]
        assert set(_ODD) - {"deep/-er/ä/\n/x"} <= set(self.names())
        for path in _ODD:
            assert self.read(path) == path.encode(), path
            self.wait(self.sandbox.remove(path))
        assert self.names() in (["deep", "solution.py"], ["solution.py"])

    def test_a_name_that_is_too_long(self) -> None:
        """A name that is too long is an error for people, and nothing is written."""
        with raises(SandboxFileError, SandboxError):
            self.write("n" * 300, b"")
        assert self.names() == []

    def test_the_code_may_change_what_was_written(self) -> None:
        """Files and folders that were written belong to the code."""
        self.write("new/folder/file", b"one")
        self.says("open('new/folder/file', 'a').write(' two'); open('new/other', 'w').close()")
        assert self.read("new/folder/file") == b"one two"
        self.says("import shutil; shutil.rmtree('new')")
        assert "new" not in self.names()

    def test_writing_takes_the_place_of_a_file(self) -> None:
        """A file is read and replaced even where the code locked it."""
        self.says(
            "import os; os.makedirs('shut/in'); open('shut/in/f', 'w').write('old')\n"
            "os.chmod('shut/in/f', 0); os.chmod('shut/in', 0); os.chmod('shut', 0)"
        )
        assert self.read("shut/in/f") == b"old"
        self.write("shut/in/f", b"new")
        assert self.read("shut/in/f") == b"new"

    def test_reading_has_a_limit(self) -> None:
        """A file that is larger than asked for is refused, not cut."""
        self.write("ten", bytes(10))
        assert len(self.wait(self.sandbox.read("ten", 10))) == 10
        with raises(SandboxFileError):
            self.wait(self.sandbox.read("ten", 9))

    def test_a_missing_file_is_named(self) -> None:
        """A missing file or folder is named as the agent knows it."""
        for path in ("none", "sub/none"):
            with raises(FileNotFoundError, naming=path):
                self.read(path)
            with raises(FileNotFoundError, naming=path):
                self.names(path)

    def test_what_is_no_file_is_not_read(self) -> None:
        """Folders, pipes and sockets are not read; writing replaces all but folders."""
        self.says(
            "import os, socket; os.mkfifo('fifo'); os.mkdir('dir')\n"
            "socket.socket(socket.AF_UNIX).bind('socket')"
        )
        for path in ("fifo", "socket", "dir", "."):
            with raises(SandboxFileError):
                self.read(path)
        self.write("fifo", b"replaced")
        assert self.read("fifo") == b"replaced"
        with raises(SandboxFileError):
            self.write("dir", b"")

    def test_removing(self) -> None:
        """A removed file is gone, and removing what is not there is no error."""
        self.write("a/file", b"")
        for path in ("a/file", "a/file", "none/at/all"):
            self.wait(self.sandbox.remove(path))
        assert self.names("a") == []

    def test_a_listing(self) -> None:
        """A listing is of one folder, sorted, with kinds and sizes."""
        self.says(
            "import os; os.mkdir('b'); open('c', 'w').write('123'); os.mkfifo('d')\n"
            "os.symlink('c', 'a'); open('b/inside', 'w').close()"
        )
        found = self.wait(self.sandbox.list("."))
        entries = [(entry.path, entry.kind) for entry in found if entry.path != "solution.py"]
        wanted = [("a", "link"), ("b", "dir"), ("c", "file"), ("d", "other"), ("input", "dir")]
        assert entries == wanted, f"list returned {entries}, where {wanted} lie"
        size = {entry.path: entry.size for entry in found}["c"]
        assert size == 3, f"list says that a file of 3 bytes has {size}"
        assert self.names("b") == ["b/inside"]
