"""Limits: each is enforced, told in words that help, and silent where it is kept."""

from __future__ import annotations

from mlxlab.core.records import CLEAN
from mlxlab.testing.sandboxes.conformance.harness import Harness

_FORKS = """
import os, sys, time
for _ in range(int(sys.argv[1])):
    if os.fork() == 0:
        time.sleep(20)
        os._exit(0)
print("all made", flush=True)
os.killpg(0, 9)
"""
_FILLS = """
import os, sys, tempfile
left, piece, number = int(sys.argv[1]), 64 << 20, 0
while left > 0:
    with open(os.path.join(tempfile.gettempdir(), f"fill{number}"), "wb") as file:
        os.posix_fallocate(file.fileno(), 0, min(left, piece))
    left, number = left - piece, number + 1
print("filled")
"""


class ResourceLimits(Harness):
    """Every limit of `Limits`, and a control that stays below it."""

    def test_wall_time(self) -> None:
        """A script over its wall time is a `timeout`, even if it ignores signals."""
        code = (
            "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
            "print('began', end='', flush=True); time.sleep({})"
        )
        result = self.script(code.format(60), wall_s=1.5)
        assert (result.outcome, result.exit_code, result.stdout) == ("timeout", None, "began")
        assert "1.5 seconds" in result.detail and result.duration_s < 30, result
        assert self.script(code.format(0.1), wall_s=30).outcome == "exited"

    def test_wall_time_of_a_command(self) -> None:
        """A command over its wall time is a `timeout`, and what it said is kept."""
        result = self.command("sh", "-c", "echo began; sleep 60", wall_s=1.5)
        assert (result.outcome, result.exit_code, result.stdout) == ("timeout", None, "began\n")

    def test_cpu_time(self) -> None:
        """A script over its CPU time is a `timeout`, even if it ignores the warning."""
        code = "import signal\nsignal.signal(signal.SIGXCPU, signal.SIG_IGN)\nwhile True: pass"
        for program in ("while True: pass", code):
            result = self.script(program, cpu_s=1, wall_s=50)
            assert result.outcome == "timeout" and "CPU" in result.detail, result
        assert self.script("sum(range(10**6))", cpu_s=10, wall_s=50).outcome == "exited"

    def test_memory(self) -> None:
        """An allocation over the memory limit fails, and the outcome is `oom`."""
        code = "import sys; print(len(bytearray(int(sys.argv[1]))))"
        result = self.script(code, str(5 << 30))
        assert (result.outcome, result.exit_code, result.stdout) == ("oom", 1, ""), result
        assert "4 GiB" in result.detail, result
        assert self.says(code, str(50 << 20)) == str(50 << 20)

    def test_processes(self) -> None:
        """A fork over the limit of processes fails, and the limit is told."""
        result = self.script(_FORKS, "30", processes=16)
        assert (result.outcome, result.exit_code) == ("exited", 1), result
        assert "all made" not in result.stdout and "16 processes" in result.detail, result
        assert self.script(_FORKS, "8", processes=16).stdout == "all made\n"

    def test_a_fork_bomb_ends_with_its_time(self) -> None:
        """A fork bomb ends with its time at the latest, and the sandbox can be used after it."""
        code = "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass"
        result = self.script(code, wall_s=1.5, processes=32)
        assert result.outcome in {"timeout", "killed"} and result.duration_s < 30, result
        assert self.says("print('usable')") == "usable"

    def test_the_size_of_a_file(self) -> None:
        """A write over the size of a file fails, and the limit is told."""
        code = "import sys; open('large', 'wb').write(bytes(int(sys.argv[1]) << 20))"
        result = self.script(code, "3", file_bytes=2 << 20)
        assert (result.outcome, result.exit_code) == ("exited", 1), result
        assert "2 MiB" in result.detail, result
        assert self.script(code, "1", file_bytes=2 << 20).exit_code == 0
        result = self.command("truncate", "-s", "3M", "large", file_bytes=2 << 20)
        assert "2 MiB" in result.detail, result

    def test_the_whole_workspace(self) -> None:
        """A program that fills the workspace, by bytes or by files, is killed."""
        code = (
            "import os, sys, time\nfor i in range(int(sys.argv[1])):\n"
            "    with open(f'f{i}', 'wb') as f: f.write(bytes(int(sys.argv[2])))\n"
            "time.sleep(float(sys.argv[3]))"
        )
        result = self.script(code, "20", str(1 << 20), "9", disk_bytes=10 << 20)
        assert result.outcome == "killed" and "10 MiB" in result.detail, result
        self.restore(CLEAN)
        result = self.script(code, "400", "1", "9", files=300)
        assert result.outcome == "killed" and "300" in result.detail, result
        self.restore(CLEAN)
        self.says(code, "5", str(1 << 20), "0", disk_bytes=10 << 20, files=300)

    def test_memory_of_all_processes(self) -> None:
        """Processes that only together exceed the memory limit are an `oom`."""
        code = (
            "import os, sys, time\nfor _ in range(int(sys.argv[1])):\n"
            "    if os.fork() == 0: block = b'x' * (150 << 20); time.sleep(5); os._exit(0)\n"
            "sys.exit(any([os.wait()[1] for _ in range(int(sys.argv[1]))]))"
        )
        result = self.script(code, "8", memory_bytes=900 << 20, wall_s=50)
        assert result.outcome == "oom" and "900 MiB" in result.detail, result
        assert self.says(code.replace("sleep(5)", "sleep(0)"), "2", memory_bytes=900 << 20) == ""

    def test_temporary_files(self) -> None:
        """Temporary files are limited as a whole, and their folder does not stay full."""
        if self.temporary_bytes is not None:
            result = self.script(_FILLS, str(self.temporary_bytes + (256 << 20)))
            assert (result.outcome, result.exit_code) == ("exited", 1), result
            assert "disk" in result.detail, result
        assert self.says(_FILLS, str(100 << 20)) == "filled"

    def test_output(self) -> None:
        """Endless output is stopped, and little of it is kept."""
        result = self.script("while True: print('x' * 1000)", output_bytes=1 << 20)
        assert (result.outcome, result.exit_code) == ("killed", None), result.detail
        assert "1 MiB" in result.detail and len(result.stdout) < 21_000, result.detail
        result = self.script("print('x' * 1000)", output_bytes=1 << 20)
        assert (result.outcome, len(result.stdout)) == ("exited", 1001), result
