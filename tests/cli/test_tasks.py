"""`mlx tasks`: listing, showing and checking."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Place, distribution


def test_the_list_says_what_each_task_is_about(place: Place) -> None:
    shown = place.mlx("tasks", "list").stdout
    assert "auc" in next(line for line in shown.splitlines() if line.startswith("flights"))
    listed = json.loads(place.mlx("tasks", "list", "--json").stdout)
    about = {task["name"]: task["about"] for task in listed}
    assert all(about[name] for name in ("flights", "mnist", "folder"))
    assert {"flights", "toy"} <= set(about)


def test_a_task_that_needs_an_argument_says_so_in_one_line(place: Place) -> None:
    for words in (("show", "folder"), ("check", "folder")):
        done = place.mlx("tasks", *words)
        assert done.returncode == 2
        assert done.stdout == ""
        assert done.stderr == (
            "mlx: The task 'folder' needs its path. Write folder:PATH. "
            "The folder that holds task.toml.\n"
        )


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--all", "flights"),
        ("flihgts",),
        ("flights", "--sandbox", "lokal"),
        ("no/such/folder",),
    ],
)
def test_bad_input_is_one_line_and_status_2(words: tuple[str, ...], place: Place) -> None:
    done = place.mlx("tasks", "check", *words)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "bug" not in done.stderr


def test_each_check_is_a_line_and_a_failed_one_the_status(place: Place) -> None:
    """The toy's sandbox fails at every program: so the search for answers ends, in its name."""
    done = place.mlx("tasks", "check", "toy", "--sandbox", "memory")
    assert done.returncode == 1
    assert done.stderr == ""
    lines = [line.split() for line in done.stdout.splitlines()]
    verdicts = {line[1]: line[0] for line in lines if len(line) > 1}
    assert verdicts["sample-valid"] == "ok"
    assert verdicts["starter-runs"] == "-"
    assert verdicts["can-be-checked"] == "FAILED"
    assert "sandbox 'memory' of toy-parts 1.2: run failed: " in done.stdout
    assert done.stdout.splitlines()[-1] == "1 task, 11 checks: toy failed."


FAULTY = """
from mlxlab.testing import MemorySandbox, ToyTask
class Unready(ToyTask):
    def prepare(self, folder):
        raise NameError("nam")
class Wrong(MemorySandbox):
    def __init__(self):
        super().__init__(lambda program, files: None)
    async def run(self, *arguments):
        return {}
"""


def test_what_fails_is_named_and_stops_no_other_task(place: Place) -> None:
    place.module("faulty", FAULTY)
    distribution(
        place.site,
        "faulty-parts",
        {"task.unready": "faulty:Unready", "sandbox.wrong": "faulty:Wrong"},
    )
    done = place.mlx("tasks", "check", "unready", "toy", "--sandbox", "memory", "--json")
    first, second = json.loads(done.stdout)["tasks"]
    (only,) = first["checks"]
    assert (done.returncode, only["id"], only["status"]) == (1, "can-be-checked", "fail")
    assert "prepare failed: NameError: nam. (at faulty.py:5)" in only["message"]
    assert len(second["checks"]) == 11
    boxed = place.mlx("tasks", "check", "temperature", "--sandbox", "wrong")
    assert boxed.returncode == 1 and "Traceback" not in boxed.stderr
    told = "sandbox 'wrong' of faulty-parts 1.2: run returned dict, no ExecResult."
    assert told in boxed.stdout and "The task raises" not in boxed.stdout


def test_json_is_one_object(place: Place) -> None:
    done = place.mlx("tasks", "check", "toy", "--sandbox", "memory", "--json")
    found = json.loads(done.stdout)
    assert done.returncode == 1
    assert found["ok"] is False
    (task,) = found["tasks"]
    assert task["task"] == "toy"
    assert {check["status"] for check in task["checks"]} == {"pass", "skip", "fail"}


def test_a_folder_is_checked(place: Place) -> None:
    folder = place.work / "empty"
    folder.mkdir()
    done = place.mlx("tasks", "check", str(folder))
    assert done.returncode == 2
    assert "it has no task.toml" in done.stderr
    assert Path("empty").name in done.stderr
