"""Nothing lives after an execution, and nothing but the workspace reaches the next."""

from __future__ import annotations

import secrets
import time

from mlxlab.testing.sandboxes.conformance.harness import Harness

# What outlives a sandbox that ends nothing ends by itself: it is on its author's machine.
WRITER = """
import os, signal, sys, time
if os.fork() == 0:
    os.setsid()
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    if os.fork() == 0:
        with open("grows", "ab", buffering=0) as file:
            until = time.monotonic() + 100
            while time.monotonic() < until:
                file.write(b"x")
                time.sleep(0.001)
    os._exit(0)
while not os.path.exists("grows"):
    time.sleep(0.01)
"""
_ENDS = {
    "": "exited",
    "import os; os._exit(0)": "exited",
    "os.kill(os.getpid(), 9)": "killed",
    "os.closerange(0, 3); time.sleep(60)": "timeout",
}
_SPOILS = """
import builtins, json, os, random, resource, sys, tempfile
builtins.mark = json.mark = "mark"; sys.modules["mark"] = json; sys.path.insert(0, "mark")
os.environ["MARK"] = "mark"; os.chdir("/"); os.umask(0o777); os.nice(5)
for folder in {tempfile.gettempdir(), "/tmp", "/dev/shm"}:
    try: open(os.path.join(folder, sys.argv[1]), "w").close()
    except OSError: pass
resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))
"""
_LOOKS = """
import builtins, json, os, resource, sys, tempfile
found = [name for name in (builtins, json) if hasattr(name, "mark")]
found += [name for name in (*sys.modules, *sys.path, *os.environ) if name.lower() == "mark"]
found += [f for f in {tempfile.gettempdir(), "/tmp", "/dev/shm"} if os.path.isdir(f)
          and sys.argv[1] in os.listdir(f)]
print(found, oct(os.umask(0)), os.nice(0), resource.getrlimit(resource.RLIMIT_NOFILE)[0] > 40)
"""
_QUEUE = """
import ctypes, errno, os, sys
library = ctypes.CDLL(None, use_errno=True)
if not hasattr(library, "mq_open"): library = ctypes.CDLL("librt.so.1", use_errno=True)
name, small = f"/{sys.argv[1]}".encode(), (ctypes.c_long * 8)(0, 1, 1)
making = sys.argv[2] == "make"
if library.mq_open(name, os.O_RDWR | (os.O_CREAT if making else 0), 0o600, small) < 0:
    print(errno.errorcode[ctypes.get_errno()])
else:
    print("made" if making else "found")
    making or library.mq_unlink(name)
"""
_FULL = {"EMFILE": "this user's RLIMIT_MSGQUEUE", "ENOSPC": "fs.mqueue.queues_max"}
_PROCESSES = """
import glob, sys
for path in glob.glob("/proc/[0-9]*/cmdline"):
    try:
        if open(path).read().count(sys.argv[1]) and "self" not in path: print(path)
    except OSError: pass
"""


class Leftovers(Harness):
    """Each execution is the first."""

    def test_nothing_lives_afterwards(self) -> None:
        """What a script started is dead when `run` returns, however it ended."""
        for end, outcome in _ENDS.items():
            self.wait(self.sandbox.remove("grows"))
            result = self.script(f"{WRITER}\n{end}\n", wall_s=3 if outcome == "timeout" else 60)
            assert result.outcome == outcome, (end, result)
            self.assert_no_growth("grows")

    def test_a_commands_children_die_too(self) -> None:
        """What a command left in the background is dead when `run` returns."""
        grows = "(for i in $(seq 20000); do echo x >> grows; sleep 0.005; done)"
        script = f"{grows} & while [ ! -s grows ]; do :; done"
        assert self.command("sh", "-c", script).outcome == "exited"
        self.assert_no_growth("grows")

    def test_nothing_is_carried_over(self) -> None:
        """Modules, variables, umask, priority, limits, temporary files are new each time."""
        mark = secrets.token_hex(8)
        before = self.says(_LOOKS, mark)
        assert before.startswith("[]"), before
        self.says(_SPOILS, mark)
        assert self.says(_LOOKS, mark) == before

    def test_no_message_queue_is_carried_over(self) -> None:
        """No message queue of POSIX is there for the next execution."""
        mark = secrets.token_hex(8)
        made = self.says(_QUEUE, mark, "make")
        # Where the host's are used up, every sandbox would look clean.
        assert made not in _FULL, f"no queue can be made here: {_FULL.get(made)} is used up"
        assert self.says(_QUEUE, mark, "look") not in {"found", "EACCES"}

    def test_the_next_execution_meets_no_other(self) -> None:
        """No process of the last execution is in sight of the next."""
        mark = secrets.token_hex(8)
        left = f"sh -c 'sleep 60; : {mark}' & sleep 0.1"
        assert self.command("sh", "-c", left).outcome == "exited"
        # The looking program's own command line may hold the mark as well.
        mine = "import os; print(f'/proc/{os.getpid()}/cmdline')\n"
        own, *others = self.says(mine + _PROCESSES, mark).splitlines()
        assert set(others) <= {own}, others

    def test_the_workspace_stays(self) -> None:
        """What a program wrote to the workspace, the next one reads."""
        self.says("open('kept', 'w').write('content')")
        assert self.says("print(open('kept').read())") == "content"

    def assert_no_growth(self, path: str) -> None:
        """Nobody writes to a file any more."""
        size = len(self.read(path))
        time.sleep(0.2)
        assert len(self.read(path)) == size > 0, "a process outlived its execution"
