"""Files of the workspace, read and written from the host."""

import asyncio
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlxlab.core.sandbox import SandboxFileError

NAMES = st.text(st.characters(exclude_characters="/\0", codec="utf-8"), min_size=1, max_size=40)
FEW = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@FEW
@given(parts=st.lists(NAMES.filter(lambda n: n not in {".", ".."}), min_size=1, max_size=3))
def test_odd_names_survive_a_round_trip(box: Any, parts: list[str]) -> None:
    path = "/".join(["odd", *parts])
    box.write(path, path.encode())
    assert box.read(path) == path.encode()
    folder = path.rpartition("/")[0]
    assert (path, "file", len(path.encode())) in [
        (entry.path, entry.kind, entry.size) for entry in box.list(folder)
    ]
    box.remove("odd")


@pytest.mark.parametrize("path", ["a b", "-rf", "ä€😀", "a\nb", "$HOME", "'\"", ".hidden", "a\\b"])
def test_the_code_finds_a_file_by_its_name(box: Any, path: str) -> None:
    box.write(path, b"content")
    assert box.says("import sys; print(open(sys.argv[1]).read())", path) == "content"
    box.remove(path)


@FEW
@given(data=st.binary(max_size=4096))
def test_bytes_survive_a_round_trip(box: Any, data: bytes) -> None:
    box.write("data.bin", data)
    assert box.read("data.bin") == data


def test_what_the_code_wrote_is_read(box: Any) -> None:
    box.says("import os; os.makedirs('a/b'); open('a/b/c', 'wb').write(bytes(300_000))")
    assert box.read("a/b/c") == bytes(300_000)
    assert box.read("/workspace/a/b/c") == bytes(300_000)
    assert [entry.path for entry in box.list("a")] == ["a/b"]


def test_what_the_host_wrote_can_be_changed_by_the_code(box: Any) -> None:
    box.write("new/folder/file", b"one")
    box.says("open('new/folder/file', 'a').write(' two'); open('new/other', 'w')")
    assert box.read("new/folder/file") == b"one two"


@pytest.mark.parametrize("path", ["../x", "a/../../x", "/etc/passwd", "..", "a\0b", "\ud800"])
def test_paths_outside_are_refused(box: Any, path: str) -> None:
    for refused in (box.read, box.list, lambda path: box.write(path, b"")):
        with pytest.raises(SandboxFileError):
            refused(path)


def test_a_missing_file_is_named_as_the_agent_knows_it(box: Any) -> None:
    for missing in (box.read, box.list):
        for path in ("none", "sub/none"):
            with pytest.raises(FileNotFoundError, match=f"There is no '{path}' in the workspace"):
                missing(path)


def test_links_are_not_read(box: Any) -> None:
    box.says("import os; os.symlink('/etc/passwd', 'link'); os.symlink('/etc', 'folder')")
    for path in ("link", "folder/passwd"):
        with pytest.raises(SandboxFileError, match="link"):
            box.read(path)
    with pytest.raises(SandboxFileError, match="link"):
        box.list("folder")
    kinds = {entry.path: entry.kind for entry in box.list(".")}
    assert (kinds["link"], kinds["folder"]) == ("link", "link")


def test_links_are_replaced_by_writing(box: Any) -> None:
    victim = box.folder / "victim"
    victim.mkdir()
    (victim / "file").write_text("untouched")
    workspace = box.folder / "scratch" / "workspace"
    (workspace / "to-file").symlink_to(victim / "file")
    (workspace / "to-folder").symlink_to(victim)
    box.write("to-file", b"new")
    box.write("to-folder/file", b"new")
    assert (victim / "file").read_text() == "untouched"
    assert box.read("to-file") == box.read("to-folder/file") == b"new"


def test_what_is_no_file_is_not_read(box: Any) -> None:
    box.says("import os, socket; os.mkfifo('fifo'); os.mkdir('dir')")
    for path in ("fifo", "dir", "."):
        with pytest.raises(SandboxFileError):
            box.read(path)
    box.write("fifo", b"replaced")
    assert box.read("fifo") == b"replaced"
    with pytest.raises(SandboxFileError, match="folder"):
        box.write("dir", b"")
    with pytest.raises(SandboxFileError, match="no folder"):
        box.write("fifo/below", b"")


def test_too_much_is_not_read(box: Any) -> None:
    box.write("ten", bytes(10))
    assert len(asyncio.run(box.sandbox.read("ten", 10))) == 10
    with pytest.raises(SandboxFileError, match="larger"):
        asyncio.run(box.sandbox.read("ten", 9))


def test_inputs_are_read_and_never_written(box: Any) -> None:
    assert box.read("input/train.csv") == b"id,x\n1,2\n"
    assert [entry.path for entry in box.list("input")] == ["input/train.csv"]
    assert "input" in [entry.path for entry in box.list(".")]
    for path in ("input", "input/new", "./input/train.csv", "a/../input/x"):
        with pytest.raises(SandboxFileError):
            box.write(path, b"")
        with pytest.raises(SandboxFileError):
            box.remove(path if path != "a/../input/x" else "input")


def test_folders_that_the_code_closed_are_opened(box: Any) -> None:
    box.says(
        "import os; os.makedirs('closed/inner'); open('closed/inner/f', 'w').write('x')\n"
        "os.chmod('closed/inner/f', 0); os.chmod('closed/inner', 0); os.chmod('closed', 0)"
    )
    assert box.read("closed/inner/f") == b"x"
    box.write("closed/inner/g", b"y")
    assert [entry.path for entry in box.list("closed/inner")] == [
        "closed/inner/f",
        "closed/inner/g",
    ]


def test_names_that_are_no_text_are_listed_all_the_same(box: Any) -> None:
    box.says(r"import os; os.mkdir('bytes'); open(b'bytes/\xff', 'w')")
    assert [entry.path for entry in box.list("bytes")] == ["bytes/\\xff"]


def test_removing_what_is_deep_or_absent(box: Any) -> None:
    box.remove("absent/file")
    box.says("import os\nfor _ in range(1200): os.mkdir('d'); os.chdir('d')\nopen('f', 'w')")
    box.remove("d")
    assert "d" not in [entry.path for entry in box.list(".")]


def test_an_interrupted_write_leaves_the_old_file(box: Any) -> None:
    box.write("kept", b"old")
    with pytest.raises(TypeError):
        box.write("kept", "not bytes")
    assert box.read("kept") == b"old"
    assert not [entry.path for entry in box.list(".") if entry.path.startswith(".new")]


def test_files_belong_to_the_user_of_the_code(box: Any) -> None:
    box.write("mine/file", b"")
    code = "import os; print({os.stat(p).st_uid - os.getuid() for p in ('.', 'mine', 'mine/file')})"
    assert box.says(code) == "{0}"
