"""`mlx train` as a process: what it takes, says, survives and leaves."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from mlxlab.api.training import Training
from mlxlab.api.training.lessons import lessons, nothing_learned
from mlxlab.cli.train.figures import told, trend, vain, value
from mlxlab.cli.train.lines import Pace, step_line
from mlxlab.cli.train.panel import costs
from mlxlab.cli.train.summary import print_summary
from mlxlab.core.trainer import TrainProgress
from tests.cli.conftest import TOY_RUN, Place, distribution
from tests.cli.test_live import Terminal

COUNT = ("train", "--trainer", "counting", "--model", "tiny")


def record(place: Place, *more: str, seed: int = 0) -> None:
    done = place.mlx(*TOY_RUN, "--policy", "writer", "--steps", "6", "--quiet", "--json",
                     "--seed", str(seed), *more)  # fmt: skip
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A place with one run, for tests that name a folder of their own."""
    place = Place(tmp_path_factory.mktemp("shared"))
    record(place)
    return place


def test_without_runs_it_says_what_makes_some(place: Place) -> None:
    done = place.mlx("train")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "mlx: There are no runs in ./runs to learn from. Make some: mlx run --task "
        "generated:rings/1 --scaffold 'recipe?explain=false' --policy climb --steps 10\n"
    )
    assert not list(place.work.iterdir())


def test_it_says_what_it_takes_where_nothing_is_said(place: Place) -> None:
    record(place)
    record(place, seed=1)
    done = place.mlx("train", "--trainer", "counting")
    assert done.returncode == 0, done.stderr
    first, second, third, *rest = done.stderr.splitlines()
    assert first == "No runs were named: the 2 runs in ./runs are taken."
    whose = "trainer 'counting' of toy-parts 1.2"
    assert second.startswith(f"No model was named: where {whose} takes one, it is tiny, a small")
    (folder,) = (place.work / "trained").iterdir()
    assert third.startswith("train counting from tiny, on 12 steps of 2 runs, into trained/")
    assert rest[-1].startswith("step 5/5  reward 0.333  loss 0.200")
    assert f"--policy local:trained/{folder.name}/final" in done.stdout
    assert "reward        0 -> 0.333" in done.stdout
    # The same again is another training, for this one is done.
    assert place.mlx("train", "--trainer", "counting").returncode == 0
    assert len(list((place.work / "trained").iterdir())) == 2


def test_json_is_one_object_and_nothing_else(shared: Place) -> None:
    done = shared.mlx("train", "--trainer", "counting?prints=1", "--model", "tiny",
                      "--out", "json", "--json")  # fmt: skip
    found = json.loads(done.stdout)
    assert (found["status"], found["train_dir"], found["steps"]) == ("done", "json", 5)
    assert found["policy"] == f"local:{shared.work}/json/final"
    assert "a library says something" in done.stderr


def test_what_came_of_it_is_found_from_everywhere(shared: Place) -> None:
    assert shared.mlx(*COUNT, "--out", "here", "--quiet").returncode == 0
    shared.work, above = shared.work / "below", shared.work
    shared.work.mkdir()
    try:
        done = shared.mlx("train", "--resume", "../here")
    finally:
        shared.work = above
    assert f"--policy local:{shared.work}/here/final" in done.stdout


def test_quiet_says_nothing_but_the_result(shared: Place) -> None:
    done = shared.mlx(*COUNT, "--out", "quiet", "--quiet")
    assert (done.returncode, done.stderr) == (0, "")
    assert "use it" in done.stdout
    again = shared.mlx(*COUNT, "--out", "quiet", "--quiet")
    assert "Nothing is left to do" in again.stderr and again.stdout == done.stdout


def test_steps_are_the_trainers_own_option(shared: Place) -> None:
    done = shared.mlx("train", "--trainer", "counting?steps=9", "--steps", "3",
                      "--model", "tiny", "--out", "three", "--json")  # fmt: skip
    assert json.loads(done.stdout)["trainer"] == "counting?steps=3"


@pytest.mark.parametrize("how", ["kill", "interrupt", "bug"])
def test_the_same_command_takes_up_what_ended_early(place: Place, how: str) -> None:
    record(place)
    command = ("train", "--trainer", f"counting?fails_at=4&how={how}", "--model", "tiny")
    first = place.mlx(*command)
    told = {
        "kill": (-9, ""),
        "interrupt": (130, "Interrupted. What was trained stays."),
        "bug": (1, "trainer 'counting' of toy-parts 1.2: train failed: ValueError: a bug of the"),
    }
    assert first.returncode == told[how][0], first.stderr
    assert told[how][1] in first.stderr and "Traceback" not in first.stderr
    (folder,) = (place.work / "trained").iterdir()
    if how != "kill":
        assert f"Go on with: mlx train --resume trained/{folder.name}\n" in first.stderr
    second = place.mlx(*command)
    assert second.returncode == 0, second.stderr
    assert "holds this training, unfinished: it goes on there." in second.stderr
    assert "5 steps" in second.stdout and "in 2 sessions" in second.stdout
    lines = (folder / "train.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ("above", "train returned 'local:{0}/o', where NAME:{0}/o/final is expected"),
        ("bare", "train returned 'local:final', where NAME:{0}/o/final is expected"),
        ("number", "train failed: TypeError: tell got 1, which is no TrainProgress."),
    ],
)
def test_a_trainer_that_is_used_wrongly_is_named(place: Place, how: str, told: str) -> None:
    record(place)
    done = place.mlx("train", "--trainer", f"counting?how={how}", "--model", "tiny", "--out", "o")
    assert done.returncode == 1
    assert told.format(place.work) in done.stderr and "Traceback" not in done.stderr


def test_a_trainer_may_work_in_another_folder(place: Place) -> None:
    record(place)
    command = ("train", "--trainer", "counting?how=elsewhere", "--model", "tiny", "--out", "o")
    done = place.mlx(*command)
    assert done.returncode == 0, done.stderr
    assert (place.work / "o" / "final").is_dir()
    assert json.loads((place.work / "o" / "train.json").read_text())["status"] == "done"


def test_a_trainer_that_leaves_nothing_has_failed(place: Place) -> None:
    record(place)
    done = place.mlx("train", "--trainer", "counting?how=nothing", "--model", "tiny", "--out", "o")
    assert done.returncode == 1
    told = f"train returned 'local:{place.work}/o/final', and wrote nothing there."
    (line,) = (each for each in done.stderr.splitlines() if each.startswith("mlx: "))
    assert told in line and line.split("(at ")[1].startswith("tests/cli/toytrainers.py:")


def test_resume_names_the_folder_alone(place: Place) -> None:
    record(place)
    command = ("train", "--trainer", "counting?fails_at=2", "--model", "tiny", "--out", "out")
    assert place.mlx(*command).returncode == 1
    refused = place.mlx("train", "--resume", "out", "--seed", "3")
    assert refused.returncode == 2
    assert "Beside --resume DIR only --workers can be said." in refused.stderr
    assert place.mlx("train", "--resume", "out", "--workers", "1").returncode == 0
    again = place.mlx("train", "--resume", "out")
    assert again.returncode == 0 and "Nothing is left to do" in again.stderr
    nowhere = place.mlx("train", "--resume", "nowhere")
    assert (nowhere.returncode, nowhere.stderr) == (
        1, "mlx: nowhere is no training: it has no train.json.\n",
    )  # fmt: skip


def test_ctrl_c_says_how_to_go_on(place: Place) -> None:
    record(place)
    process = place.start("train", "--trainer", "counting?latency_s=0.2&steps=100",
                          "--model", "tiny", "--out", "out")  # fmt: skip
    log = place.work / "out" / "train.jsonl"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not (log.exists() and log.stat().st_size):
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Go on with: mlx train --resume out" in stderr
    assert json.loads((place.work / "out" / "train.json").read_text())["status"] == "interrupted"


@pytest.mark.parametrize(
    ("args", "line"),
    [
        (("--trainer", "counting?stps=3"), "no option 'stps'. Did you mean 'steps'?"),
        (("--trainer", "countin"), "There is no trainer 'countin'. Did you mean 'counting'?"),
        (("--model", "nope"), "There is no model folder nope."),
        (("--model", "runs"), "runs is no model: it has no config.json."),
        (("--task", "nope"), "No recorded step is of the task nope. There are steps of: toy."),
        (("nowhere",), "nowhere does not exist."),
        (("--steps", "0"), "'0' is no whole number of 1 or more"),
        (("--dry-run", "--gpu", "A1000"), "Nothing is known of the GPU 'A1000'. Did you mean A100"),
        (("--trainer", "repeating", "--reward", "nope"), "There is no reward 'nope'."),
        (("--trainer", "repeating", "--editor", "nope"), "There is no policy 'nope'."),
    ],
)
def test_bad_input_is_one_line(shared: Place, args: tuple[str, ...], line: str) -> None:
    given = args if "--trainer" in args else (*args, "--trainer", "counting")
    done = shared.mlx("train", *given, "--out", "bad")
    assert (done.returncode, done.stdout) == (2, "")
    assert line in done.stderr and done.stderr.count("\n") == 1
    assert not (shared.work / "bad").exists()


def test_a_dry_run_estimates_and_writes_nothing(shared: Place) -> None:
    before = sorted(shared.work.iterdir())
    done = shared.mlx(*COUNT, "--dry-run", "--gpus", "8", "--gpu", "A100", "--gpu-memory", "80G",
                      "--usd-per-hour", "12")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "8 x A100 of 80 GiB" in done.stdout and "$12 an hour" in done.stdout
    assert "counting  steps  5      on 8 GPUs" in done.stdout
    assert "Nothing was started" in done.stdout
    found = json.loads(shared.mlx(*COUNT, "--dry-run", "--json").stdout)
    assert found["machine"]["gpus"] == 0
    assert found["estimates"] == [
        {"stage": "counting", "name": "steps", "value": "5", "basis": "on 0 GPUs"}
    ]
    assert sorted(shared.work.iterdir()) == before


REPEAT = ("train", "--trainer", "repeating", "--sandbox", "memory", "--reward", "constant")


def taught(place: Place) -> str:
    """A model that can answer, as far as these trainers care."""
    (place.work / "model").mkdir(exist_ok=True)
    (place.work / "model" / "config.json").write_text("{}")
    return "model"


def test_actions_are_carried_out_and_trainings_share_what_they_know(place: Place) -> None:
    record(place)
    place.mlx(*TOY_RUN[:3], "--scaffold", "chain", *TOY_RUN[5:], "--policy", "writer",
              "--steps", "4", "--quiet", "--json", "--seed", "7")  # fmt: skip
    command = (*REPEAT, "--model", taught(place), "--steps", "10", "--cache", "known", "--json")
    first = place.mlx(*command, "--out", "a")
    assert first.returncode == 0, first.stderr
    found = json.loads(first.stdout)
    assert found["reward"] == "constant" and found["warnings"] == []
    lines = (place.work / "a" / "train.jsonl").read_text().splitlines()
    figures = [json.loads(line)["figures"] for line in lines]
    # The actions of both scaffolds, each read by its own.
    assert len(figures) == 10 and {f["reward"] for f in figures} == {0.5}
    assert sum(f["executed"] for f in figures) > 0
    second = json.loads(place.mlx(*command, "--out", "b").stdout)
    assert second["figures"]["first"]["cached"] == second["figures"]["last"]["cached"] == 1
    assert not (place.work / "a" / "scratch").exists()


def test_a_reward_that_is_no_number_ends_nothing(place: Place) -> None:
    place.module("nanreward", NAN)
    distribution(place.site, "nan-reward", {"reward.nan": "nanreward:Nan"})
    record(place)
    done = place.mlx("train", "--trainer", "repeating", "--sandbox", "memory", "--reward", "nan",
                     "--model", taught(place), "--json", "--out", "out")  # fmt: skip
    assert done.returncode == 0, done.stderr
    # The toy trainer's own figure stands where no reward took its place.
    assert json.loads(done.stdout)["figures"]["last"]["reward"] == pytest.approx(1 / 3)


NAN = """
from mlxlab.core.records import RewardValue
class Nan:
    needs = frozenset()
    range = (0.0, 1.0)
    def judge(self, step, task):
        return RewardValue(value=float("nan"), reason="a bug")
"""


def test_strangers_tasks_are_carried_out_only_if_they_are_trusted(place: Place) -> None:
    record(place)
    command = (*REPEAT, "--model", taught(place), "--out", "out", "--json")
    elsewhere = {"XDG_STATE_HOME": str(place.work / "other-user")}
    refused = place.mlx(*command, **elsewhere)
    assert refused.returncode == 2
    assert "6 steps left out: somebody else recorded them; --trust" in refused.stderr
    assert place.mlx(*command, "--trust", **elsewhere).returncode == 0


def test_the_screen_shows_progress_and_fits(place: Place) -> None:
    record(place)
    terminal = Terminal(place, "train", "--trainer", "counting?steps=24&latency_s=0.05",
                        "--model", "tiny", "--out", "out", size=(80, 24))  # fmt: skip
    assert terminal.end() == 0
    shown = terminal.shown
    assert "step 24/24" in shown and "━" in shown
    assert "reward" in shown and "from 0.2" in shown and "▁" in shown
    assert "use it" in shown
    lines = shown.rpartition("step 24/24")[0].splitlines()[-3:]
    assert all(len(line.rstrip()) <= 80 for line in lines)


def test_libraries_that_print_leave_the_screen_whole(place: Place) -> None:
    record(place)
    terminal = Terminal(place, "train", "--trainer", "counting?steps=3&latency_s=0.3&prints=1",
                        "--model", "tiny", "--out", "out", size=(100, 30))  # fmt: skip
    assert terminal.end() == 0
    assert "a library says something" in terminal.shown


def test_a_figure_is_read_as_what_it_is() -> None:
    assert value("improvement", 0.256) == "26%"
    assert value("unique", 41.0) == "41"
    assert value("kl", float("nan")) == value("kl", None) == "-"
    assert value("lr", 0.0003) == "0.0003"
    assert list(told({"lr": 1.0, "mine": 2.0, "reward": 0.5})) == [
        ("reward", "0.500"), ("mine", "2.000"),
    ]  # fmt: skip


def test_a_line_tells_what_taught_nothing_where_there_is_some() -> None:
    figures = {"reward": 0.5, "groups": 16.0, "flat_groups": 3.0, "unvalued": 2.0, "step_s": 4.0}
    line = step_line(TrainProgress(step=7, total=120, figures=figures), Pace())
    assert line == "step   7/120  reward 0.500  flat 3 of 16  unvalued 2  4.0s"
    fine = {**figures, "flat_groups": 0.0, "unvalued": 0.0}
    assert list(vain(fine)) == []
    assert list(vain({"flat_groups": 3.0})) == []  # of groups that nobody counts


def test_the_screen_tells_flat_groups_of_how_many() -> None:
    steps = [
        TrainProgress(step=n, figures={"executed": 8.0, "groups": 16.0, "flat_groups": float(n)})
        for n in (1, 2)
    ]
    (line,) = (line.plain for line in costs(steps))
    assert line == "actions  16 executed, 0 known already (0%)   flat groups  1.5 of 16 a step"


def test_a_trend_goes_from_its_lowest_to_its_highest() -> None:
    assert trend([0, 1, 2, 3], 4) == "▁▃▆█"
    assert trend([3, float("nan"), 1], 9) == "█▁"
    assert trend([2, 2, 2], 9) == "▁▁▁"
    assert trend([1], 9) == trend([1, 2], 0) == ""
    assert len(trend(list(range(1000)), 20)) == 20
    assert trend([0, 1], 2, plain=True).isascii()


def test_the_module_imports_nothing_heavy() -> None:
    import subprocess

    code = (
        "import sys, mlxlab.cli.train.drive, mlxlab.api.training\n"
        "heavy = {'torch', 'numpy', 'pandas', 'transformers', 'trl', 'sklearn', 'datasets'}\n"
        "assert not heavy & sys.modules.keys(), heavy & sys.modules.keys()"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def steps_of(*figures: dict[str, float]) -> list[TrainProgress]:
    return [TrainProgress(step=n, figures=each) for n, each in enumerate(figures, 1)]


FLAT = {"actions": 8.0, "groups": 2.0, "flat_groups": 2.0, "valid": 0.0}


def test_a_training_without_a_lesson_says_why() -> None:
    flat = "every group was flat (4 of 4): nothing was learned"
    invalid = "no sampled action was valid: fine-tune longer first, with more steps of sft"
    assert list(lessons(steps_of(FLAT, FLAT))) == [flat, invalid]
    # Steps that use a batch again tell its groups once more, and are not counted.
    again = {"groups": 2.0, "flat_groups": 2.0, "valid": 0.5}
    assert list(lessons(steps_of({**FLAT, "valid": 0.5}, again, FLAT))) == [flat]
    lost = {**FLAT, "valid": 1.0, "flat_groups": 0.0, "empty_groups": 2.0, "unvalued": 8.0}
    unpaid = "no action had a reward (16 of 16): nothing was learned"
    assert list(lessons(steps_of(lost, lost))) == [unpaid]
    assert list(lessons(steps_of(lost, {**FLAT, "valid": 1.0}))) == [
        flat, "8 of 16 actions had no reward"
    ]  # fmt: skip
    assert list(lessons(steps_of(FLAT, {**FLAT, "flat_groups": 1.0, "valid": 0.1}))) == []
    assert nothing_learned(steps_of({"loss": 1.0})) == nothing_learned([]) == ""


def test_the_summary_counts_all_steps_and_offers_nothing_that_learned_nothing(
    shared: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    assert shared.mlx(*COUNT, "--out", "vain", "--quiet").returncode == 0
    folder = shared.work / "vain"
    log = (folder / "train.jsonl").read_text().splitlines()
    told = [json.loads(line) for line in log]
    for each in told:
        each["figures"] |= {"actions": 4, "unvalued": 4}
    (folder / "train.jsonl").write_text("".join(f"{json.dumps(each)}\n" for each in told))
    print_summary(Training(folder))
    shown = capsys.readouterr().out
    assert "noted" in shown and "no action had a reward (20 of 20): nothing was learned" in shown
    assert "use it" not in shown
    assert Training(folder).as_dict()["lessons"] == [
        "no action had a reward (20 of 20): nothing was learned"
    ]
