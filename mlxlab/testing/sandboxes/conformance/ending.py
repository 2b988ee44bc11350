"""How programs end: exit codes, exceptions, signals."""

from __future__ import annotations

from mlxlab.core.records import Limits
from mlxlab.core.sandbox import ExecRequest, ExecResult
from mlxlab.testing.sandboxes.conformance.harness import SCRIPT, Harness

_CODES = {
    "": 0,
    "exit()": 0,
    "raise SystemExit(3)": 3,
    "import sys; sys.exit('the reason')": 1,
    "1/0": 1,
    "import os; os._exit(9)": 9,
    "import sys; sys.stderr.close(); raise KeyError": 1,
    "import sys; sys.excepthook = None; raise KeyError": 1,
    "import os; os.execv('/bin/sh', ['sh', '-c', 'exit 5'])": 5,
}
_SIGNALS = {
    "import os, signal; print('before', flush=True); os.kill(os.getpid(), signal.SIGKILL)": (
        -9,
        "SIGKILL",
    ),
    "import os, signal; print('before', flush=True); os.kill(os.getpid(), signal.SIGTERM)": (
        -15,
        "SIGTERM",
    ),
    "import ctypes; print('before', flush=True); ctypes.string_at(0)": (-11, "SIGSEGV"),
}
_OPEN = """
class Log:
    def __init__(self, name):
        self.file = open(name, "w")
        self.file.write("hello")

log, file = Log("held"), open("plain", "w")
print("hello", end="", file=file)
"""
_ENDS = ("", "raise SystemExit(3)", "def fail(file): 1 / 0\nfail(file)")


class Ending(Harness):
    """Whatever ends a program is data, never an exception."""

    def test_an_exit_code_is_data(self) -> None:
        """However a program exits, it `exited`, with the code that it chose."""
        for code, wanted in _CODES.items():
            result = self.script(code)
            _came_to(result, code, "exited", wanted)

    def test_the_text_of_an_exit_is_told(self) -> None:
        """`sys.exit` with a text prints the text to stderr."""
        assert self.script("import sys; sys.exit('the reason')").stderr.strip() == "the reason"

    def test_a_signal_kills(self) -> None:
        """After a signal: `killed`, a negative code, the signal's name, the output."""
        for code, (wanted, name) in _SIGNALS.items():
            result = self.script(code)
            _came_to(result, code, "killed", wanted)
            heard, detail = result.stdout, result.detail
            assert heard == "before\n", f"{code}: stdout is {heard!r}, not 'before\\n'"
            assert name in detail, f"{code}: detail is {detail!r}, which does not name {name}"

    def test_a_traceback_shows_the_script_alone(self) -> None:
        """A traceback names lines of the script and none of the sandbox's own."""
        stderr = self.script("def f():\n    return 1 / 0\n\nf()\n").stderr
        places = [line for line in stderr.splitlines() if line.lstrip().startswith("File ")]
        assert [SCRIPT in place for place in places] == [True, True], stderr
        assert "line 4, in <module>" in places[0] and "line 2, in f" in places[1], stderr
        assert stderr.splitlines()[-1] == "ZeroDivisionError: division by zero", stderr

    def test_a_syntax_error_shows_its_line(self) -> None:
        """A syntax error is told with its line, and no line of the sandbox's own."""
        stderr = self.script("x = 1\ny = = 2\n").stderr
        places = [line for line in stderr.splitlines() if line.lstrip().startswith("File ")]
        assert len(places) == 1 and "line 2" in places[0] and "SyntaxError" in stderr, stderr

    def test_what_is_not_there_is_said(self) -> None:
        """A missing script ends with 2, a missing command with 127; stderr names it."""
        result = self.wait(self.sandbox.run(ExecRequest(script="none.py"), Limits()))
        _came_to(result, "a script that is not there", "exited", 2)
        assert "none.py" in result.stderr, f"stderr does not name none.py: {result.stderr!r}"
        result = self.command("no-such-command")
        _came_to(result, "a command that is not there", "exited", 127)
        assert "no-such-command" in result.stderr, f"stderr does not name it: {result.stderr!r}"

    def test_threads_and_exit_handlers_finish(self) -> None:
        """Threads and exit handlers finish, as in a plain interpreter."""
        code = (
            "import atexit, threading, time\natexit.register(print, 'atexit')\n"
            "threading.Thread(target=lambda: (time.sleep(0.1), print('thread'))).start()\n"
            "print('main')"
        )
        assert self.says(code).split() == ["main", "thread", "atexit"]

    def test_open_files_are_written_at_the_end(self) -> None:
        """What a program wrote to a file that it left open is there, however it exits."""
        for end in _ENDS:
            result = self.script(_OPEN + end)
            told = f"{end or 'a program'} came to {result.outcome}, expected exited"
            assert result.outcome == "exited", told
            for name in ("plain", "held"):
                found = self.wait(self.sandbox.read(name))
                assert found == b"hello", f"a file left open holds {found!r}, not b'hello'"
                self.wait(self.sandbox.remove(name))


def _came_to(result: ExecResult, what: str, outcome: str, code: int) -> None:
    """Fail where an execution did not end so."""
    found = (result.outcome, result.exit_code)
    wanted = f"expected {outcome} with {code}"
    told = f"{what or 'an empty script'} came to {found[0]} with {found[1]}, {wanted}"
    said = f"; stderr ends: {result.stderr.strip()[-200:]}" if result.stderr.strip() else ""
    assert found == (outcome, code), f"{told}{said}"
