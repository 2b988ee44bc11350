"""Paths that lead elsewhere: none of them is followed."""

from __future__ import annotations

from mlxlab.core.sandbox import SandboxFileError
from mlxlab.testing.sandboxes.conformance.harness import Harness, raises

_OUTSIDE = ("../x", "a/../../x", "/etc/passwd", "..", "a\0b", "\ud800", "/proc/self/environ")


class Paths(Harness):
    """Untrusted code made what lies in the workspace: a link there leads nowhere."""

    def test_paths_outside_are_refused(self) -> None:
        """A path that leads outside is refused by every operation."""
        for path in _OUTSIDE:
            with raises(SandboxFileError):
                self.read(path)
            with raises(SandboxFileError):
                self.names(path)
            with raises(SandboxFileError):
                self.write(path, b"")
            with raises(SandboxFileError):
                self.wait(self.sandbox.remove(path))

    def test_links_are_not_read(self) -> None:
        """A link is not read, neither as a file nor on the way to one."""
        self.says("import os; os.symlink('/etc/passwd', 'link'); os.symlink('/etc', 'folder')")
        for path in ("link", "folder/passwd"):
            with raises(SandboxFileError):
                self.read(path)
        with raises(SandboxFileError):
            self.names("folder")
        self.says("import os; open('real', 'w').write('x'); os.symlink('real', 'inside')")
        with raises(SandboxFileError):
            self.read("inside")

    def test_links_are_replaced_by_writing(self) -> None:
        """Writing replaces a link, and what it led to stays as it is."""
        self.says(
            "import os; os.mkdir('aim'); open('aim/file', 'w').write('untouched')\n"
            "os.symlink('aim/file', 'to-file'); os.symlink('aim', 'to-folder')"
        )
        self.write("to-file", b"new")
        self.write("to-folder/file", b"new")
        assert self.read("aim/file") == b"untouched"
        assert self.read("to-file") == self.read("to-folder/file") == b"new"

    def test_removing_a_link_keeps_its_aim(self) -> None:
        """Removing a link keeps what it leads to."""
        self.says("import os; open('aim', 'w').write('kept'); os.symlink('aim', 'link')")
        self.wait(self.sandbox.remove("link"))
        assert self.names() == ["aim", "solution.py"] and self.read("aim") == b"kept"

    def test_a_link_to_itself_ends(self) -> None:
        """Loops of links neither hang nor break anything."""
        self.says("import os; os.symlink('loop', 'loop'); os.mkdir('d'); os.symlink('..', 'd/up')")
        with raises(SandboxFileError):
            self.read("loop")
        with raises(SandboxFileError):
            self.read("d/up/loop")
        self.restore(self.snapshot())
