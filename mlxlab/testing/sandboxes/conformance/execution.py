"""Code and commands: their output, while it comes and afterwards."""

from __future__ import annotations

import time

from mlxlab.core.records import Limits
from mlxlab.core.sandbox import ExecRequest
from mlxlab.testing.sandboxes.conformance.harness import Harness

_BOTH = "import sys; print('out'); print('err', file=sys.stderr)"


class Execution(Harness):
    """A script or a command runs, and what it says is heard."""

    def test_streams_of_a_script_are_kept_apart(self) -> None:
        """What a script writes to stderr is not in its stdout."""
        result = self.script(_BOTH)
        assert (result.outcome, result.exit_code) == ("exited", 0), result
        assert (result.stdout, result.stderr, result.detail) == ("out\n", "err\n", ""), result

    def test_streams_of_a_command_are_kept_apart(self) -> None:
        """What a command writes to stderr is not in its stdout."""
        result = self.command("sh", "-c", "echo out; echo err >&2; exit 4")
        assert (result.outcome, result.exit_code) == ("exited", 4), result
        assert (result.stdout, result.stderr) == ("out\n", "err\n"), result

    def test_commands_find_the_same_python(self) -> None:
        """`python` in a command is the interpreter that runs scripts."""
        code = "import sys; print(sys.version_info[:3])"
        assert self.command("python", "-c", code).stdout.strip() == self.says(code)

    def test_children_are_heard(self) -> None:
        """What a child process says belongs to the output of the execution."""
        code = "import subprocess; subprocess.run(['sh', '-c', 'echo child; echo bad >&2'])"
        result = self.script(code)
        assert (result.stdout, result.stderr) == ("child\n", "bad\n"), result

    def test_output_is_heard_while_it_comes(self) -> None:
        """`on_output` hears all of the output, and while the program runs."""
        heard: list[tuple[str, str, float]] = []
        code = "import sys, time; print('now', end='', flush=True); time.sleep(0.8)\n" + _BOTH
        result = self.script(
            code, on_output=lambda name, text: heard.append((name, text, time.monotonic()))
        )
        assert heard, "on_output was never called"
        early_s = time.monotonic() - heard[0][2]
        assert early_s > 0.5, f"on_output heard of it {early_s:.2f} s before the end, of 0.8 s"
        for name, text in (("stdout", result.stdout), ("stderr", result.stderr)):
            assert "".join(piece for stream, piece, _ in heard if stream == name) == text, heard
        assert (result.stdout, result.stderr) == ("nowout\n", "err\n"), result

    def test_a_characters_bytes_may_come_apart(self) -> None:
        """A character may be written byte by byte: output is one stream of text."""
        code = (
            "import os, time\nfor b in 'é€😀'.encode(): os.write(1, bytes([b])); time.sleep(0.02)"
        )
        assert self.script(code).stdout == "é€😀"

    def test_bytes_that_are_no_text_do_not_matter(self) -> None:
        """Bytes that are no text are replaced, and nothing breaks."""
        result = self.script(r"import os; os.write(1, b'a\xff\x00b')")
        assert (result.outcome, result.stdout) == ("exited", "a\ufffd\x00b"), result

    def test_much_output_keeps_its_head_and_tail(self) -> None:
        """Of much output the head and the tail are kept, and the cut is marked."""
        code = "for i in range(60_000): print('line', i)"
        result = self.script(code, kept_output_chars=2000)
        assert (result.outcome, result.exit_code) == ("exited", 0), result
        assert result.stdout.startswith("line 0\n") and result.stdout.endswith("line 59999\n")
        assert "left out" in result.stdout and len(result.stdout) < 2200, len(result.stdout)

    def test_a_script_may_lie_in_a_folder(self) -> None:
        """A script in a folder imports its neighbours, and works in the workspace."""
        self.write("parts/helper.py", b"value = 7")
        self.write("parts/job.py", b"import os, helper; print(helper.value, os.listdir('parts'))")
        result = self.wait(self.sandbox.run(ExecRequest(script="parts/job.py"), Limits()))
        assert result.stdout.startswith("7 [") and "job.py" in result.stdout, result

    def test_time_is_taken(self) -> None:
        """`duration_s` is the time that the execution took."""
        took_s = self.script("import time; time.sleep(0.3)").duration_s
        assert 0.3 <= took_s < 30, f"duration_s is {took_s}, of a program that sleeps for 0.3 s"
