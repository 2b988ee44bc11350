"""`mlx` beside installed distributions that do what none may: unnamed, and named."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import TOY_RUN, Place
from tests.containment.crowd import install, install_command

STEPS = ("--steps", "3", "--quiet")


@pytest.fixture
def crowded(place: Place) -> Place:
    install(place.site)
    return place


def toy_run(place: Place, *args: str, **env: str) -> subprocess.CompletedProcess[str]:
    policy = () if "--policy" in args else ("--policy", "writer")
    return place.mlx(*TOY_RUN, *policy, *STEPS, *args, **env)


def result(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """What a run's JSON says, without what differs from run to run."""
    found: dict[str, Any] = json.loads(done.stdout)
    for name in ("run_dir", "run_id", "wall_s"):
        del found[name]
    del found["spent"]["wall_s"]
    return found


def ours(listed: str) -> list[dict[str, Any]]:
    return [one for one in json.loads(listed) if not one["distribution"].startswith("acme")]


def test_what_is_not_named_changes_nothing(tmp_path: Path) -> None:
    alone, crowded = Place(tmp_path / "alone"), Place(tmp_path / "crowded")
    install(crowded.site)
    assert alone.mlx("--help").stdout == crowded.mlx("--help").stdout
    listed = [place.mlx("plugins", "list", "--json").stdout for place in (alone, crowded)]
    for one in (both := [ours(text) for text in listed])[0]:
        assert one in both[1]
    assert len(both[0]) == len(both[1])
    runs = [toy_run(place, "--json", MLX_CALL_LIMIT="20") for place in (alone, crowded)]
    assert result(runs[0]) == result(runs[1])
    told = runs[1].stderr
    assert "acme-hook-raises 1.2 (a) was skipped: RuntimeError: no luck" in told
    assert "acme-hook-exits 1.2 (b) was skipped: SystemExit: bye" in told
    assert "acme-hook-calls 1.2 (c) failed: mlx_step_recorded: ValueError: no step for me" in told
    assert "acme-hook-api 1.2 (d) was skipped: hook 'd' of acme-hook-api 1.2 needs the" in told
    assert runs[0].stderr == "" == "".join(
        line for line in told.splitlines() if not line.startswith(("mlx: plugin", "noise"))
    )  # fmt: skip


HURRIED = {"MLX_CALL_LIMIT": "6"}
LISTED: dict[str, tuple[tuple[str, ...], Callable[[Any], object]]] = {
    "policies": (("policies", "list", "--json"), lambda found: [
        *(one for one in found["policies"] if not one["distribution"].startswith("acme")),
        *found["presets"],
    ]),
    "sandboxes": (("sandboxes", "list", "--json"), lambda found: [
        (one["sandbox"], one["absent"]) for one in found if one["sandbox"] in ("local", "memory")
    ]),
    "tasks": (("tasks", "list", "--json"), lambda found: [
        one for one in found if not one["distribution"].startswith("acme")
    ]),
    "schema": (("run", "--print-schema"), lambda found: (
        sorted(found["properties"]),
        "deepseek-r1" in found["definitions"]["policy"]["anyOf"][0]["examples"],
    )),
    "doctor": (("doctor", "--json"), lambda found: found["ok"]),
}  # fmt: skip


@pytest.mark.parametrize("listing", LISTED)
def test_what_is_not_named_costs_no_list_its_other_lines(tmp_path: Path, listing: str) -> None:
    words, seen = LISTED[listing]
    alone, crowded = Place(tmp_path / "alone"), Place(tmp_path / "crowded")
    install(crowded.site)
    before, after = alone.mlx(*words), crowded.mlx(*words, **HURRIED)
    assert (before.returncode, after.returncode) == (0, 0), after.stderr
    assert seen(json.loads(before.stdout)) == seen(json.loads(after.stdout))
    assert "This is a bug" not in after.stdout + after.stderr


def test_upkeep_that_goes_wrong_is_named(crowded: Place) -> None:
    found = json.loads(crowded.mlx("sandboxes", "list", "--json", **HURRIED).stdout)
    absent = {one["sandbox"]: one["absent"] or "" for one in found}
    who = "of acme-upkeep 1.2: sweep"
    assert absent["nothing"] == f"sandbox 'nothing' {who} returned NoneType, no list."
    assert absent["quits"] == f"sandbox 'quits' {who} failed: SystemExit: 0."
    assert absent["blocks"].startswith(f"sandbox 'blocks' {who} took longer than ")
    found = json.loads(crowded.mlx("doctor", "--json", **HURRIED).stdout)["findings"]
    details = {(one["group"], one["name"]): one["detail"] for one in found}
    who = "of acme-upkeep 1.2: examine"
    assert details["engines", "nothing"] == f"sandbox 'nothing' {who} returned NoneType, no list."
    assert details["engines", "blocks"] == f"sandbox 'blocks' {who} called os._exit(9)."
    assert details["keys", "quits"] == f"policy 'quits' {who} failed: SystemExit: 0."
    told = crowded.mlx("policies", "list").stderr
    odd = "offers returned int in its list, no Offer. (at upkeep.py:24)"
    assert f"mlx: aliases 'upkeep' of acme-upkeep 1.2: {odd}" in told.splitlines()


@pytest.mark.parametrize(
    ("policy", "told"),
    [
        ("price-hangs", "price took longer than 3 s."),
        ("price-waits", "price took longer than 3 s."),
        ("price-deaf", "price took longer than it may, and cannot be broken off."),
    ],
)
def test_a_price_that_hangs_ends_the_command(crowded: Place, policy: str, told: str) -> None:
    ran = toy_run(crowded, "--policy", policy, MLX_CALL_LIMIT="3")
    tried = crowded.mlx("policies", "test", policy, MLX_CALL_LIMIT="3")
    for done in (ran, tried):
        assert (done.returncode, done.stdout) == (1, "")
        assert f"policy '{policy}' of acme-prices 1.2: {told}" in done.stderr.splitlines()[-1]


def test_a_price_that_exits_costs_nothing(crowded: Place) -> None:
    done = toy_run(crowded, "--policy", "price-exits", "--json")
    assert (done.returncode, json.loads(done.stdout)["status"]) == (0, "done")


def test_whose_names_others_take_too_runs_all_the_same(crowded: Place) -> None:
    names = ("--task", "flights", "--scaffold", "aide", "--policy", "catalog")
    done = crowded.mlx("run", *names, "--steps", "2", "--quiet", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["status"] == "done"
    parts = json.loads((crowded.run() / "run.json").read_text())["components"]
    for kind in ("task", "scaffold", "policy"):
        assert parts[kind]["version"].startswith("mlxlab ")


def test_another_api_is_noted_and_refused_unimported(crowded: Place) -> None:
    found = {one["name"]: one["note"] for one in json.loads(
        crowded.mlx("plugins", "list", "--kind", "scaffold", "--json").stdout)}  # fmt: skip
    assert found["other-api"] == "needs the plugin API 2, and this mlxlab 0.1.0 has 1"
    done = toy_run(crowded, "--scaffold", "other-api")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1] == (
        "mlx: scaffold 'other-api' of acme-other-api 1.2 needs the plugin API 2, and this mlxlab "
        "0.1.0 has 1. Try: pip install -U mlxlab, or install a version of 'acme-other-api' for "
        "API 1."
    )


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("raises", "could not be loaded: RuntimeError: no luck."),
        ("exits", "could not be loaded: SystemExit: bye."),
        ("hangs", "import took longer than 3 s."),
        ("patches", "could not be loaded: RuntimeError: it replaces json.dumps."),
        ("patches-made", "could not be made: RuntimeError: it replaces json.dumps."),
        ("heavy", "could not be loaded: ImportError: torch was imported."),
        ("dies", "import called os._exit(9)."),
    ],
)
def test_an_import_that_fails_costs_its_own_run(crowded: Place, name: str, told: str) -> None:
    done = toy_run(crowded, "--scaffold", name, "--json", MLX_CALL_LIMIT="3")
    assert done.stdout == ""
    assert not (crowded.work / "runs").exists() or not list((crowded.work / "runs").iterdir())
    assert done.returncode == 1
    line = done.stderr.splitlines()[-1]
    assert line.startswith(f"mlx: scaffold '{name}' of acme-{name} 1.2")
    assert told in line


def test_nothing_that_is_printed_enters_the_json(crowded: Place) -> None:
    done = toy_run(crowded, "--policy", "prints", "--json")
    assert result(done)["status"] == "done"
    for where in ("import", "made", "act", "exit"):
        for noise in ("noise", "raw noise", "child's noise"):
            assert f"{noise}: {where}" in done.stderr


def test_a_working_directory_is_kept(crowded: Place) -> None:
    done = toy_run(crowded, "--scaffold", "moves", "--json")
    assert json.loads(done.stdout)["run_dir"].startswith("runs/")
    assert (crowded.run() / "steps.jsonl").exists()


def test_threads_and_children_do_not_keep_mlx(crowded: Place) -> None:
    said, complained = crowded.work / "out", crowded.work / "err"
    began = time.monotonic()
    with said.open("w") as out, complained.open("w") as err:  # a child would keep pipes open
        done = subprocess.run(
            [sys.executable, "-m", "mlxlab", *TOY_RUN, "--policy", "leaks", *STEPS, "--json"],
            cwd=crowded.work,
            env=crowded.env,
            stdout=out,
            stderr=err,
            timeout=120,
        )
    assert done.returncode == 0
    assert time.monotonic() - began < 100
    assert json.loads(said.read_text())["status"] == "done"
    with suppress(ProcessLookupError):
        os.kill(int((crowded.work / "child").read_text()), signal.SIGKILL)


@pytest.mark.parametrize(
    ("part", "told", "status"),
    [
        ("--policy killed-late", None, "killed"),
        (
            "--policy dies-late",
            "policy 'dies-late' of acme-late 1.2: act called os._exit(9)",
            "failed",
        ),
        (
            "--policy exits-late",
            "policy 'exits-late' of acme-late 1.2: act failed",
            "failed",
        ),
        (
            "--policy patches-late",
            "policy 'patches-late' of acme-late 1.2: act failed: RuntimeError: it replaces json.",
            "failed",
        ),
        ("--policy hangs-late", "policy 'hangs-late' of acme-late 1.2: act took longer", "failed"),
        ("--scaffold deaf", "scaffold 'deaf' of acme-late 1.2: parse took longer than", "failed"),
    ],
)
def test_a_call_that_ends_the_run_costs_nothing_recorded(
    crowded: Place, part: str, told: str | None, status: str
) -> None:
    done = toy_run(crowded, *part.split(), MLX_CALL_LIMIT="2")
    listed = json.loads(crowded.mlx("runs", "list", "--json").stdout)
    assert [one["status"] for one in listed] == [status]
    if told is None:
        assert done.returncode == -9
    else:
        assert done.returncode == 1
        assert told in done.stderr
        assert told in json.loads((crowded.run() / "run.json").read_text())["error"]
    (crowded.work / "repaired").touch()
    again = crowded.mlx("run", "--resume", "latest", "--json", "--quiet")
    assert (json.loads(again.stdout)["status"], json.loads(again.stdout)["steps"]) == ("done", 3)
    steps = (crowded.run() / "steps.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in steps] == [0, 1, 2]


DEAF = """
tasks = ["toy"]
scaffolds = ["deaf", "tree"]
policies = ["writer"]
sandbox = "memory"
seeds = 1
steps = 3
"""


def test_what_heeds_nothing_costs_a_bench_its_own_cell(crowded: Place) -> None:
    (crowded.work / "grid.toml").write_text(DEAF)
    done = crowded.mlx("bench", "grid.toml", "--workers", "1", MLX_CALL_LIMIT="3")
    told = "scaffold 'deaf' of acme-late 1.2: parse took longer than it may, and cannot be"
    assert told in done.stderr
    bench = crowded.work / "benches" / "grid"
    events = [json.loads(line) for line in (bench / "cells.jsonl").read_text().splitlines()]
    ended = {one["event"]: one["error"] for one in events if one["event"] in ("failed", "done")}
    assert ended["failed"].startswith(told)
    assert ended["done"] is None
    assert "outage" not in [one["event"] for one in events]
    runs = [json.loads(path.read_text()) for path in bench.glob("runs/*/run.json")]
    found = {one["components"]["scaffold"]["name"]: one for one in runs}
    assert (found["deaf"]["status"], found["tree"]["status"]) == ("failed", "done")
    assert found["deaf"]["error"].startswith(told)


def test_what_heeds_nothing_ends_a_training(crowded: Place) -> None:
    toy_run(crowded, "--quiet")
    (crowded.work / "model").mkdir()
    (crowded.work / "model" / "config.json").write_text("{}")
    train = ("train", "--trainer", "repeating", "--model", "model", "--sandbox", "memory")
    done = crowded.mlx(*train, "--reward", "deaf", "--out", "trained", MLX_CALL_LIMIT="3")
    told = "reward 'deaf' of acme-late 1.2: judge took longer than"
    assert done.returncode == 1
    assert f"mlx: {told}" in done.stderr
    record = json.loads((crowded.work / "trained" / "train.json").read_text())
    assert record["status"] == "failed"
    assert record["error"].startswith(told)
    (crowded.work / "repaired").touch()
    again = crowded.mlx("train", "--resume", "trained", "--quiet")
    assert again.returncode == 0, again.stderr


def test_a_command_is_named_and_a_built_in_s_name_is_its_own(place: Place) -> None:
    install_command(place.site)
    done = place.mlx("bad")
    assert done.returncode == 1
    assert done.stderr.startswith("mlx: command 'bad' of acme-command 1.2 failed: ")
    assert done.stderr.endswith("Strange: no luck. (at commanding.py:5)\n")
    assert "acme-command::run" in place.mlx("--help").stdout
    assert json.loads(toy_run(place, "--json").stdout)["status"] == "done"


def test_debugging_shows_the_plugin_s_own_frames_first(crowded: Place) -> None:
    done = toy_run(crowded, "--policy", "exits-late", MLX_DEBUG="1")
    lines = done.stderr.splitlines()
    heads = [at for at, line in enumerate(lines) if line == "The plugin's own traceback:"]
    frames = [lines[at + 2] for at in heads]
    for frame, module in zip(frames, ("exits", "raises", "hooking", "exits_late"), strict=True):
        assert f"{module}.py" in frame
    assert "sys.exit(9)" in lines[heads[-1] + 3]
    assert lines.count("How mlxlab came there:") == len(heads)
    assert lines[-2].startswith("mlx: policy 'exits-late' of acme-late 1.2: act failed")


def test_what_no_boundary_knows_is_named_by_its_code(crowded: Place) -> None:
    done = crowded.mlx("tasks", "list", "--suite", "checks?part=one")
    assert done.returncode == 1
    assert done.stderr == (
        "mlx: suite 'checks' of acme-options 1.2 failed: KeyError: 'no luck'. MLX_DEBUG=1 shows "
        "the traceback. (at checking.py:7)\n"
    )


def test_a_suite_that_exits_well_has_failed(crowded: Place) -> None:
    done = crowded.mlx("tasks", "list", "--suite", "exits", "--json")
    assert (done.returncode, done.stdout) == (1, "")
    told = "mlx: suite 'exits' of acme-suite 1.2: tasks failed: SystemExit: 0. (at suiting.py:5)\n"
    assert done.stderr == told
