"""kill -9 of the whole process tree at random moments, each followed by --resume."""

import random
import subprocess
import time
from collections import Counter
from pathlib import Path

import pytest

from mlxlab.api import RunFolder, list_runs
from tests.acceptance.support import MLX, kill_tree, mlx

STEPS = 20
KILLS = 20


@pytest.mark.slow
def test_a_run_killed_twenty_times_ends_with_every_step_once(tmp_path: Path) -> None:
    rng = random.Random(7)
    arguments = ["--task", "temperature", "--steps", str(STEPS), "--seed", "0"]
    kills = 0
    while kills < KILLS:
        run = unfinished(tmp_path)
        words = ["--resume", run.path.name] if run else arguments
        with subprocess.Popen(
            [MLX, "run", *words], cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            try:
                process.wait(rng.uniform(0.3, 5.0))
            except subprocess.TimeoutExpired:
                left = kill_tree(process.pid)
                kills += 1
                process.wait()
                gone(left)
            else:
                assert process.returncode == 0
    if run := unfinished(tmp_path):
        mlx("run", "--resume", run.path.name, cwd=tmp_path)
    runs = list_runs(tmp_path / "runs")
    assert runs
    for run in runs:
        whole(run)


def unfinished(cwd: Path) -> RunFolder | None:
    """The run to go on with; at most one is ever begun and not ended."""
    runs = [run for run in list_runs(cwd / "runs") if run.manifest().status != "done"]
    assert len(runs) <= 1
    return runs[0] if runs else None


def gone(processes: set[int]) -> None:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        if not any(alive(pid) for pid in processes):
            return
        time.sleep(0.05)
    raise AssertionError(f"still there: {[pid for pid in processes if alive(pid)]}")


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def whole(run: RunFolder) -> None:
    """Done, every step once, every answered call once, no file torn, nothing left over."""
    assert run.manifest().status == "done"
    assert [step.step for step in run.steps()] == list(range(STEPS))
    answered = Counter((c.step, c.index) for c in run.calls() if c.completion is not None)
    assert set(answered.values()) == {1}
    assert {step for step, _ in answered} == set(range(STEPS))
    assert set(run.private_scores()) == set(range(STEPS))
    for name in ("steps.jsonl", "calls.jsonl", "scores.jsonl"):
        assert (run.path / name).read_bytes().endswith(b"\n")
    assert not (run.path / "scratch").exists()
