"""What a sandbox says it keeps apart, it keeps apart."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys

from mlxlab.testing.sandboxes.conformance.harness import Harness

_READS = "import sys\ntry: print(open(sys.argv[1]).read())\nexcept OSError: print('refused')"
_CONNECTS = """
import socket, sys
for family, address in ((socket.AF_INET, ("127.0.0.1", int(sys.argv[1]))),
                        (socket.AF_UNIX, "\\0" + sys.argv[2])):
    with socket.socket(family) as connection:
        connection.settimeout(3)
        try: connection.connect(address)
        except OSError: print("refused")
        else: print("reached")
"""
_AT = ("at 127.0.0.1", "at an abstract Unix socket")
_LOOKS = """
import glob, os, sys
found = []
for path in glob.glob("/proc/[0-9]*/cmdline"):
    try:
        if open(path).read().count(sys.argv[1]) and path != f"/proc/{os.getpid()}/cmdline":
            found.append(path)
    except OSError: pass
print(found)
"""
_BECOMES = """
import os
print(os.getuid(), os.geteuid())
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(int(status["CapEff"], 16) | int(status["CapPrm"], 16))
try: os.setuid(0)
except OSError: pass
print(os.geteuid())
"""


def _somebody(uid: int, capabilities: int, at_last: int) -> str:
    """Who a program was, in words."""
    if uid == 0 or at_last == 0:
        return "root" if uid == 0 else f"user {uid}, who could become root"
    if capabilities:
        return f"user {uid}, with capabilities"
    return f"user {uid}, who also runs mlx" if uid == os.geteuid() else f"user {uid} and another"


def _odd(said: str) -> str:
    """That a program which tries has found out nothing."""
    return f"that tries to get there says {said[:200]!r}"


class Promises(Harness):
    """Each True of `isolation` is tried; a False is a promise not made."""

    def test_files(self) -> None:
        """A file of the host is out of sight, where files are promised apart."""
        self.folder.chmod(0o755)
        answers = self.folder / "answers.csv"
        answers.write_text("the answer")
        said = self.says(_READS, str(answers))
        what = "read a file of the host" if "the answer" in said else _odd(said)
        told = f"isolation says files=True, but a program {what}"
        assert said == "refused" or not self.sandbox.isolation.files, told

    def test_network(self) -> None:
        """Listeners of the host are out of reach, where the network is promised apart."""
        name = secrets.token_hex(8)
        with socket.socket(socket.AF_UNIX) as local, socket.create_server(("127.0.0.1", 0)) as tcp:
            local.bind("\0" + name)
            local.listen()
            said = self.says(_CONNECTS, str(tcp.getsockname()[1]), name)
        words = zip(_AT, said.splitlines(), strict=False)
        reached = " and ".join(at for at, word in words if word == "reached")
        what = f"reached a listener of the host {reached}" if reached else _odd(said)
        told = f"isolation says network=True, but a program {what}"
        assert said == "refused\nrefused" or not self.sandbox.isolation.network, told

    def test_processes_of_the_host(self) -> None:
        """Processes of the host are out of sight, where they are promised apart."""
        mark = secrets.token_hex(8)
        sleep = [sys.executable, "-c", "import time; time.sleep(60)", mark]
        with subprocess.Popen(sleep) as process:
            try:
                said = self.command("python", "-c", _LOOKS, mark).stdout.strip()
            finally:
                process.kill()
        what = f"saw a process of the host: {said}" if "/proc/" in said else _odd(said)
        told = f"isolation says processes=True, but a program {what}"
        assert said == "[]" or not self.sandbox.isolation.processes, told

    def test_user(self) -> None:
        """The code is somebody else and never root, where the user is promised apart."""
        said = self.says(_BECOMES)
        uid, effective, capabilities, at_last = map(int, said.split())
        apart = uid == effective == at_last != os.geteuid() and uid != 0 and capabilities == 0
        who = _somebody(uid, capabilities, at_last)
        told = f"isolation says user=True, but a program ran as {who}"
        assert apart or not self.sandbox.isolation.user, told

    def test_the_description_is_honest(self) -> None:
        """There is a description, and answers are in reach where files are shared."""
        said = self.sandbox.isolation
        assert said.description, "isolation has no description"
        assert said.files or said.answers_reachable, (
            "isolation says files=False and answers_reachable=False, but answers are files"
        )
