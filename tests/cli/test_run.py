from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from mlxlab.api import RunFolder
from tests.cli.conftest import TOY_RUN, Place, distribution

SLOW = "writer?latency_s=0.2"
KEYS = {"answers", "reused_answers", "run_dir", "run_id", "status", "task", "metric", "steps",
        "seed", "best", "baseline", "reference", "cost_usd", "wall_s", "spent"}  # fmt: skip


def started(place: Place, steps: int) -> Path:
    """Wait until a run has recorded so many steps; returns its folder."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for path in (place.work / "runs").glob("*/steps.jsonl"):
            if path.read_bytes().count(b"\n") >= steps:
                return path.parent
        time.sleep(0.02)
    raise AssertionError("the run did not get there")


def end(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def test_json_is_one_object_and_nothing_else(place: Place) -> None:
    done = place.mlx(*TOY_RUN, "--policy", "writer", "--seed", "7", "--steps", "4", "--json")
    assert done.returncode == 0
    found = json.loads(done.stdout)
    assert set(found) == KEYS
    assert found["status"] == "done"
    assert found["metric"] == {"name": "mae", "direction": "minimize"}
    assert (found["steps"], found["seed"], found["task"]) == (4, 7, "toy")
    assert (found["baseline"], found["reference"]) == (3.0, 0.0)
    assert found["cost_usd"] == pytest.approx(0.004)
    folder = RunFolder(place.work / found["run_dir"])
    best = found["best"]
    assert best["private_score"] == folder.private_scores()[best["step"]].score
    scores = [s.observation.public_score for s in folder.steps() if s.observation.status == "ok"]
    assert best["public_score"] == min(score for score in scores if score is not None)


def test_the_options_reach_the_manifest(place: Place) -> None:
    done = place.mlx(
        *TOY_RUN, "--policy", "writer?price=0.5", "--steps", "3", "--time", "30m", "--max-cost",
        "0.7", "--exec-timeout", "90s", "--feedback", "self", "--workers", "2", "--reward",
        "valid", "--out", "elsewhere", "--json",
    )  # fmt: skip
    found = json.loads(done.stdout)
    manifest = RunFolder(place.work / found["run_dir"]).manifest()
    assert Path(found["run_dir"]).parent == Path("elsewhere")
    budget = manifest.budget
    assert (budget.steps, budget.time_s, budget.max_cost_usd) == (3, 1800.0, 0.7)
    assert (manifest.limits.wall_s, manifest.workers, manifest.feedback) == (90.0, 2, "self")
    assert [ref.spec for ref in manifest.rewards] == ["constant", "valid"]


def test_steps_are_told_on_stderr_one_line_each(place: Place) -> None:
    done = place.mlx(*TOY_RUN, "--policy", "writer?hostile=1", "--steps", "6")
    lines = done.stderr.splitlines()
    assert len(lines) == 7
    assert "task toy (mae, minimize), scaffold tree, policy writer?hostile=1" in lines[0]
    for number, (line, step) in enumerate(
        zip(lines[1:], RunFolder(place.run()).steps(), strict=True)
    ):
        assert line.startswith(f"step {number:>3}  {step.decision.operator}")
        assert f" {step.observation.status} " in line
    assert "\x1b" not in done.stderr + done.stdout


def test_the_best_of_a_line_is_the_best_of_the_lines_so_far(place: Place) -> None:
    done = place.mlx(*TOY_RUN, "--policy", "writer", "--steps", "12")
    best: tuple[float, str] | None = None
    lines = done.stderr.splitlines()[1:]
    assert len(lines) == 12
    for line in lines:
        number, told = line.split()[1], line.split("score ")[1].split()
        if " ok " in line and (best is None or float(told[0]) < best[0]):
            best = float(told[0]), f"best {told[0]} (step {number})"
        assert (best[1] if best else "best -") in line


def test_a_policy_that_chooses_from_a_list_is_refused_where_there_is_none(place: Place) -> None:
    done = place.mlx(*TOY_RUN, "--policy", "random")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "mlx: The policy 'random' chooses among listed actions, and the scaffold 'tree' lists "
        "none. Use a scaffold that does, such as --scaffold recipe.\n"
    )
    assert not (place.work / "runs").exists()


def test_the_summary_says_where_and_what_next(place: Place) -> None:
    done = place.mlx(*TOY_RUN, "--policy", "writer", "--steps", "6", "--quiet")
    assert done.stderr == ""
    path = place.run()
    manifest = RunFolder(path).manifest()
    assert manifest.best is not None
    rows = dict(line.split("  ", 1) for line in done.stdout.splitlines() if "  " in line)
    rows = {label.strip(): value.strip() for label, value in rows.items()}
    assert rows["task"] == "toy: mae, lower is better"
    assert rows["best"].startswith(f"step {manifest.best.step}: public ")
    assert ", private " in rows["best"]
    assert rows["gap closed"].endswith("% of baseline to reference, private rows")
    assert rows["steps"].startswith("6 of 5" if manifest.budget.steps == 5 else "6 of 6")
    assert rows["mean reward"] == "constant 0.5"
    assert rows["tokens"] == "600 in, 60 out, 6 calls"
    assert rows["cost"] == "$0.006"
    assert (place.work / rows["program"]).is_file()
    shown = place.mlx(*rows["look at it"].split()[1:])
    assert shown.returncode == 0
    assert manifest.run_id in shown.stdout


def test_an_unknown_price_is_said_to_be_unknown(place: Place) -> None:
    done = place.mlx(*TOY_RUN, "--policy", "writer?price=0", "--steps", "1", "--json")
    assert json.loads(done.stdout)["cost_usd"] is None


def test_a_failed_run_says_why_and_how_to_go_on(place: Place) -> None:
    done = place.mlx(*TOY_RUN, "--policy", "writer?fails_at=2", "--steps", "4", "--json")
    assert done.returncode == 1
    found = json.loads(done.stdout)
    assert set(found) == KEYS | {"error"}
    assert (found["status"], found["steps"]) == ("failed", 2)
    assert found["error"] == "The provider is down. Try later."
    assert done.stderr.splitlines()[-2:] == [
        "mlx: The provider is down. Try later.",
        f"What was recorded stays. Go on with: mlx run --resume {found['run_id']}",
    ]


def test_an_outage_is_told_even_to_the_quiet(place: Place) -> None:
    done = place.mlx(*TOY_RUN, "--policy", "writer?down=4", "--steps", "3", "--quiet")
    assert done.returncode == 0
    paused, *longer, resumed = done.stderr.splitlines()
    assert paused.startswith("Paused: The provider is asleep. Next try at ")
    assert all(line.startswith("Still paused after ") for line in longer)
    assert resumed.startswith("The provider answers again; the run goes on after ")
    rows = dict(line.split("  ", 1) for line in done.stdout.splitlines() if "  " in line)
    assert rows["calls"].strip() == "3 answered, 4 failed, 4 retries"
    shown = place.mlx("runs", "show", "latest", "--step", "1")
    assert shown.stdout.count("0 policy: The provider is asleep.") == 4
    assert "calls: 1 answered, 4 failed, 4 retries" in shown.stdout


def test_patience_ends_a_run_that_a_longer_one_takes_up(place: Place) -> None:
    words = ("--policy", "writer?down=6", "--steps", "3", "--patience", "1s", "--quiet")
    done = place.mlx(*TOY_RUN, *words)
    assert done.returncode == 1
    line = next(line for line in done.stderr.splitlines() if line.startswith("mlx: "))
    assert "The provider is asleep. The next try would come later than --patience 1 s" in line
    again = place.mlx("run", "--resume", "latest", "--patience", "60s", "--max-tokens", "5")
    assert again.returncode == 2
    assert "leave out --max-tokens" in again.stderr
    again = place.mlx("run", "--resume", "latest", "--patience", "60s")
    assert again.returncode == 0, again.stderr


def test_a_replay_that_departs_is_not_offered_to_be_resumed(place: Place) -> None:
    recorded = json.loads(place.mlx(*TOY_RUN, "--policy", "writer", "--json").stdout)["run_id"]
    place.mlx(*TOY_RUN, "--policy", "writer?fails_at=0", "--quiet")
    words = ("--task", "temperature", "--sandbox", "local", "--quiet")
    done = place.mlx("run", *words, "--policy", "replay:latest")
    assert done.returncode == 1
    assert f"departs from {place.work / 'runs' / recorded}" in done.stderr
    assert "--resume" not in done.stderr


def test_what_a_component_may_not_raise_is_one_line_too(place: Place) -> None:
    done = place.mlx(*TOY_RUN, "--policy", "writer?fails_at=1&crash=1")
    assert done.returncode == 1
    told = "policy 'writer' of toy-parts 1.2: act failed: ValueError: crashed. (at tests/cli/toy"
    assert told in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_interrupts_and_the_run_can_go_on(place: Place, number: signal.Signals) -> None:
    process = place.start(*TOY_RUN, "--policy", SLOW, "--steps", "30", "--json")
    path = started(place, 2)
    os.killpg(process.pid, number)
    status, out, err = end(process)
    assert status == 130
    found = json.loads(out)
    assert found["status"] == "interrupted"
    assert err.splitlines()[-1] == (
        f"Interrupted after {found['steps']} steps. Go on with: mlx run --resume {path.name}"
    )
    assert "Traceback" not in err
    again = place.mlx("run", "--resume", path.name, "--steps", str(found["steps"] + 2), "--json")
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["steps"] == found["steps"] + 2
    assert f"resumed after {found['steps']} steps" in again.stderr
    fewer = place.mlx("run", "--resume", path.name, "--steps", "1")
    assert fewer.returncode == 2
    assert f"The run has {found['steps'] + 2} steps already." in fewer.stderr
    numbers = [step.step for step in RunFolder(path).steps()]
    assert numbers == list(range(found["steps"] + 2))


def test_a_second_signal_ends_at_once_even_a_run_that_hears_nothing(place: Place) -> None:
    process = place.start(*TOY_RUN, "--scaffold", "blocking", "--policy", "writer")
    assert process.stderr is not None
    assert "run " in process.stderr.readline()
    time.sleep(0.3)
    begun = time.monotonic()
    os.kill(process.pid, signal.SIGINT)
    time.sleep(0.3)
    os.kill(process.pid, signal.SIGINT)
    status, _, _ = end(process)
    assert status == 130
    assert time.monotonic() - begun < 10


def test_resuming_keeps_what_a_run_is_made_of(place: Place) -> None:
    place.mlx(*TOY_RUN, "--policy", "writer", "--steps", "1")
    again = ["run", "--resume", "latest"]
    done = place.mlx(*again, "--task", "toy", "--seed", "1", "--reward", "valid")
    assert done.returncode == 2
    assert "leave out --task, --reward, --seed" in done.stderr


def test_resuming_a_whole_run_does_nothing_and_says_so(place: Place) -> None:
    place.mlx(*TOY_RUN, "--policy", "writer", "--steps", "2")
    (file,) = (place.work / "runs").glob("*/run.json")
    before = file.read_bytes()
    done = place.mlx("run", "--resume", "latest", "--json")
    assert (done.returncode, json.loads(done.stdout)["steps"]) == (0, 2)
    told = f"all 2 steps are done. mlx run --resume {file.parent.name} --steps N makes more."
    assert done.stderr == f"Nothing is left to do: {told}\n"
    assert file.read_bytes() == before
    more = place.mlx("run", "--resume", "latest", "--json", "--steps", "3")
    assert json.loads(more.stdout)["steps"] == 3


def test_resuming_what_is_not_there(place: Place) -> None:
    done = place.mlx("run", "--resume", "nothing")
    assert done.returncode == 1
    assert "There is no run 'nothing' in runs. 'mlx runs list' shows" in done.stderr


def test_a_run_elsewhere_is_resumed_by_its_path(place: Place) -> None:
    args = (*TOY_RUN, "--policy", "writer?fails_at=1", "--out", "my runs")
    told = place.mlx(*args).stderr.splitlines()[-1]
    (path,) = (place.work / "my runs").iterdir()
    assert told.endswith(f"mlx run --resume 'my runs/{path.name}'")
    again = place.mlx("run", "--resume", f"my runs/{path.name}", "--quiet")
    assert "The provider is down" in again.stderr


def test_a_hook_that_fails_is_named_once_and_costs_nothing(place: Place) -> None:
    place.module(
        "hookparts",
        "from mlxlab.core.hooks import hookimpl\n"
        "@hookimpl\ndef mlx_step_recorded(step):\n    raise ValueError('bad hook')\n",
    )
    distribution(place.site, "hook-parts", {}, {"steps": "hookparts"})
    done = place.mlx(*TOY_RUN, "--policy", "writer", "--steps", "3")
    assert done.returncode == 0
    told = [line for line in done.stderr.splitlines() if line.startswith("mlx:")]
    assert len(told) == 1
    assert "hook-parts 1.2 (steps)" in told[0]
    assert "failed: mlx_step_recorded: ValueError: bad hook" in told[0]


def test_the_run_is_branded_where_the_agent_saw_private_scores(place: Place) -> None:
    done = place.mlx(*TOY_RUN, "--policy", "writer", "--steps", "1", "--feedback", "private")
    assert "PRIVATE SCORES SHOWN" in done.stdout
