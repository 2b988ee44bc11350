from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time

import pytest

from mlxlab import __version__
from tests.cli.conftest import TOY_RUN, Place, distribution

BROKEN = "raise RuntimeError('cannot\\x1b[2J load')"
COMMAND = """
def configure(parser):
    parser.add_argument("--fail", action="store_true")
def run(args):
    if args.fail:
        raise ValueError("no luck")
    print("ran")
    return 3
"""


@pytest.fixture
def broken(place: Place) -> Place:
    """A distribution whose every module fails on import."""
    place.module("brokenparts", BROKEN)
    names = ["command.bad", "task.bad", "policy.bad"]
    parts = dict.fromkeys(names, "brokenparts:Part")
    distribution(place.site, "broken-parts", parts, {"bad-hooks": "brokenparts:hooks"})
    return place


def test_help_lists_every_command_and_imports_nothing_heavy(broken: Place) -> None:
    code = (
        "import sys, mlxlab.cli.main as m; m.main(['--help']);"
        "heavy = {'pydantic', 'rich', 'pluggy', 'numpy', 'brokenparts', 'asyncio', 'pandas'};"
        "found = heavy & set(sys.modules); assert not found, found"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=broken.env, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    for name in ("run", "runs", "tasks", "plugins", "sandboxes", "doctor"):
        assert f"\n  {name} " in done.stdout
    assert re.search(r"\n  bad +from broken-parts 1.2\n", done.stdout)


def test_help_imports_nothing_of_thirty_plugins(place: Place) -> None:
    place.module("loudparts", "import pathlib; pathlib.Path('imported').touch()")
    for number in range(30):
        parts = {f"{kind}.loud-{number}": "loudparts:It" for kind in ("command", "task", "policy")}
        distribution(place.site, f"loud-{number}", parts, {f"loud-{number}": "loudparts"})
    done = place.mlx("--help")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n  loud-") == 30
    assert not (place.work / "imported").exists()
    place.mlx("loud-7")
    assert (place.work / "imported").exists(), "a command that is named is imported"


def test_help_is_quick(place: Place) -> None:
    def once() -> float:
        started = time.monotonic()
        assert place.mlx("--help").returncode == 0
        return time.monotonic() - started

    assert min(once() for _ in range(5)) < 0.3


@pytest.mark.parametrize("command", ["run", "bench", "compare", "runs", "tasks"])
def test_the_help_of_a_command_fits_a_narrow_terminal(place: Place, command: str) -> None:
    said = place.mlx(command, "--help", COLUMNS="80").stdout
    assert said.startswith(f"usage: mlx {command}")
    assert max(map(len, said.splitlines())) <= 80


def test_version(place: Place) -> None:
    assert place.mlx("--version").stdout == f"mlx {__version__}\n"


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["rnu"], "mlx: There is no command 'rnu'. Did you mean 'run'?"),
        (["--jsno"], "mlx: mlx has no option '--jsno'."),
        (["run", "--stesp", "3"], "mlx: mlx run has no option '--stesp'. Did you mean --steps?"),
        (["run", "--steps", "0"], "whole number of 1 or more"),
        (["run", "--time", "soon"], "is no duration"),
        (["run", "--task", "fligths"], "There is no task 'fligths'. Did you mean 'flights'?"),
        (["run", "--policy", "writer?wrong=1"], "has no option 'wrong'"),
        (["compare", "--table", "arms"], "mlx: --table is for --format csv."),
        (["runs", "shwo"], "invalid choice: 'shwo'"),
    ],
)
def test_bad_usage_is_one_line_and_status_2(place: Place, args: list[str], told: str) -> None:
    done = place.mlx(*args)
    assert done.returncode == 2
    assert told in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""
    assert not (place.work / "runs").exists()


def test_a_broken_plugin_costs_nobody_who_does_not_name_it(broken: Place) -> None:
    assert broken.mlx("--help").returncode == 0
    listed = broken.mlx("plugins", "list")
    assert listed.returncode == 0
    assert listed.stderr == ""
    assert "broken-parts" in listed.stdout
    ran = broken.mlx(*TOY_RUN, "--policy", "writer", "--steps", "2")
    assert ran.returncode == 0
    told = [line for line in ran.stderr.splitlines() if line.startswith("mlx:")]
    why = "RuntimeError: cannot\\x1b[2J load (at brokenparts.py:1)"
    assert told == [f"mlx: plugin broken-parts 1.2 (bad-hooks) was skipped: {why}"]


def test_a_broken_plugin_that_is_named_is_named_with_its_cause(broken: Place) -> None:
    done = broken.mlx(*TOY_RUN, "--policy", "bad")
    assert done.returncode == 1
    told = done.stderr.splitlines()[-1]
    assert "policy 'bad' of broken-parts 1.2 could not be loaded: RuntimeError" in told
    assert "\x1b" not in done.stderr
    assert not (broken.work / "runs").exists()


def test_a_disabled_plugin_is_not_even_loaded(broken: Place) -> None:
    done = broken.mlx(
        *TOY_RUN, "--policy", "writer", "--steps", "1", MLX_DISABLE_PLUGINS="broken-parts"
    )
    assert "mlx:" not in done.stderr


def test_a_third_party_command(place: Place) -> None:
    place.module("commandparts", COMMAND)
    distribution(place.site, "command-parts", {"command.go": "commandparts"})
    done = place.mlx("go")
    assert (done.returncode, done.stdout) == (3, "ran\n")
    failed = place.mlx("go", "--fail")
    assert failed.returncode == 1
    told = "mlx: command 'go' of command-parts 1.2 failed: ValueError: no luck."
    assert failed.stderr == f"{told} (at commandparts.py:6)\n"
    assert "Traceback" in place.mlx("go", "--fail", MLX_DEBUG="1").stderr


@pytest.mark.parametrize(
    ("returned", "kind"), [("None", "NoneType"), ("'done'", "str"), ("True", "bool")]
)
def test_a_command_that_returns_no_status(place: Place, returned: str, kind: str) -> None:
    place.module("commandparts", COMMAND.replace("return 3", f"return {returned}"))
    distribution(place.site, "command-parts", {"command.go": "commandparts"})
    done = place.mlx("go")
    told = f"run returned {kind}, no exit status (0 for done). (at commandparts.py:4)"
    assert (done.returncode, done.stdout) == (1, "ran\n")
    assert done.stderr == f"mlx: command 'go' of command-parts 1.2: {told}\n"


def test_a_command_that_is_none(place: Place) -> None:
    distribution(place.site, "odd-parts", {"command.odd": "json:dumps"})
    done = place.mlx("odd")
    assert done.returncode == 1
    assert "command 'odd' of odd-parts 1.2 has no configure" in done.stderr


def test_a_command_whose_entry_point_names_a_function(place: Place) -> None:
    place.module("commandparts", COMMAND)
    distribution(place.site, "odd-parts", {"command.odd": "commandparts:run"})
    told = "Its entry point names a function, commandparts:run; write commandparts."
    assert f"has no configure(parser) and no run(args). {told} (at " in place.mlx("odd").stderr
    assert told.rstrip(".") in place.mlx("plugins", "check", "odd").stdout


def test_a_closed_pipe_is_no_news(recorded: Place) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "mlxlab", "runs", "export", recorded.run().name],
        cwd=recorded.work,
        env=recorded.env,
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(write)
    assert done.stderr == ""
    assert done.returncode == 141


def test_a_place_that_cannot_be_written_is_told_in_one_line(place: Place) -> None:
    (place.work / "file").write_text("")
    done = place.mlx(*TOY_RUN, "--policy", "writer", "--out", "file")
    assert done.returncode == 2
    assert done.stderr.startswith("mlx: file is no folder")
    assert done.stderr.count("\n") == 1


def test_an_encoding_that_cannot_hold_everything(recorded: Place) -> None:
    done = recorded.mlx("runs", "show", recorded.run().name, PYTHONIOENCODING="ascii")
    assert done.returncode == 0
    assert done.stdout.isascii()
    shown = recorded.mlx("runs", "list", "--json", PYTHONIOENCODING="ascii")
    assert json.loads(shown.stdout)
