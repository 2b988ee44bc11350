"""What a program finds: its environment, folder, arguments, seed, and itself as __main__."""

from __future__ import annotations

from mlxlab.testing.sandboxes.conformance.harness import SECRET, Harness

_MAIN = """
import os, pickle, sys
class Thing: pass
assert __name__ == "__main__" and sys.modules["__main__"].Thing is Thing
assert type(pickle.loads(pickle.dumps(Thing()))) is Thing
assert os.path.basename(__file__) == "solution.py" and os.path.samefile(sys.path[0], ".")
print(sys.argv[1:])
"""
_POOLS = """
import multiprocessing
def double(x): return 2 * x
if __name__ == "__main__":
    for method in ("fork", "spawn"):
        with multiprocessing.get_context(method).Pool(2) as pool:
            print(pool.map(double, [1, 2]))
"""
_FOLDERS = """
import os, tempfile
for folder in (os.environ["HOME"], tempfile.gettempdir(), "."):
    with tempfile.NamedTemporaryFile(dir=folder) as file:
        file.write(b"x")
print("written")
"""
_ENVIRONMENTS = """
import glob, os
print(dict(os.environ))
for path in glob.glob("/proc/[0-9]*/environ"):
    try: print(open(path, errors="replace").read())
    except OSError: pass
"""


class Surroundings(Harness):
    """A script runs as `python solution.py` does, in an environment made for it."""

    def test_a_script_is_main(self) -> None:
        """A script is `__main__`, under its own name, with its arguments as given."""
        assert self.says(_MAIN, "--fast", "a b", "") == "['--fast', 'a b', '']"

    def test_the_working_directory_is_the_workspace(self) -> None:
        """Scripts and commands work in the workspace."""
        self.write("here.txt", b"found")
        assert self.says("print(open('here.txt').read())") == "found"
        assert self.command("cat", "here.txt").stdout == "found"

    def test_stdin_is_empty(self) -> None:
        """Standard input is empty: reading from it ends at once."""
        assert self.says("import sys; print(repr(sys.stdin.read()))", wall_s=20) == "''"
        assert self.command("cat", wall_s=20).outcome == "exited"

    def test_the_environment_of_a_request_is_added(self) -> None:
        """The variables of a request are added, for this execution alone."""
        code = "import os; print(os.environ.get('COLOUR'), 'PATH' in os.environ)"
        assert self.says(code, env={"COLOUR": "gr ün"}) == "gr ün True"
        echo = self.command("sh", "-c", "echo $COLOUR", env={"COLOUR": "green"})
        assert echo.stdout == "green\n", echo
        assert self.says(code) == "None True"

    def test_the_hosts_environment_stays_there(self) -> None:
        """The host's variables, and so its keys, are not handed on to the code."""
        assert SECRET not in self.says(_ENVIRONMENTS)

    def test_a_seed_repeats_what_forgot_to_seed(self) -> None:
        """The global generators of random and numpy follow the request's seed."""
        code = "import random\nprint(random.random())"
        if "numpy" in self.wait(self.sandbox.packages()).versions:
            code += "\nimport numpy\nprint(numpy.random.rand())"
        said = [self.says(code, seed=seed).split() for seed in (1, 1, 2, 2**40)]
        assert said[0] == said[1], said
        assert all(one != other for one, other in zip(said[1], said[2], strict=True)), said

    def test_the_usual_folders_can_be_written(self) -> None:
        """Home, the folder for temporary files and the workspace can be written."""
        assert self.says(_FOLDERS) == "written"

    def test_processes_can_be_started(self) -> None:
        """Pools of processes work, forked and spawned."""
        assert self.says(_POOLS).splitlines() == ["[2, 4]", "[2, 4]"]
