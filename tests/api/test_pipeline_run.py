"""A very small pipeline, run for real, killed in the middle of its reinforcement learning."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from mlxlab.api.evaluating import FILE, Evaluation
from mlxlab.api.pipeline import StageRecord
from mlxlab.core.trainer import TrainProgress

pytestmark = [pytest.mark.train, pytest.mark.slow, pytest.mark.timeout(1800)]
LIMIT_S = 900.0
SMALL = f"""\
tasks = ["generated:linear/0-1"]
held_out = ["generated:rings/0-1"]
workers = 2
model = "tiny?hidden=32&layers=1&vocab=400"
[explore]
candidates = 8
keep = 3
[[collect]]
name = "expert"
steps = 2
trajectories = 2
held_back = 1
[[collect]]
name = "held-out"
part = "held-out"
policy = "random"
steps = 2
trajectories = 1
[sft]
trainer = "sft?steps=4&batch=4&threads=1"
[[rl]]
name = "grpo"
trainer = "grpo?steps=6&states_per_step=2&generations=2&max_completion_tokens=16&threads=1"
[[rl]]
name = "launched"
trainer = "grpo?steps=1&states_per_step=2&generations=2&max_completion_tokens=16&threads=1"
start = "grpo"
reward = "ml-agent?signal=binary"
launch = "{sys.executable}"
[evaluate]
states = 4
samples = 2
steps = 2
seeds = 1
grid = false
held_in_tasks = 1
sampling = "temperature=1&max_tokens=16&threads=1"
"""


def begin(folder: Path, *words: str) -> subprocess.Popen[str]:
    """Start the pipeline in a process of its own."""
    command = [sys.executable, "-m", "mlxlab", "pipeline", "run", "small.toml", "--out", "out"]
    return subprocess.Popen(
        [*command, *words],
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parents[2])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def steps(folder: Path, arm: str) -> list[int]:
    path = folder / "out" / arm / "train.jsonl"
    lines = path.read_text().splitlines() if path.is_file() else []
    return [TrainProgress.model_validate_json(line).step for line in lines]


def record(folder: Path, stage: str) -> StageRecord:
    return StageRecord.model_validate_json((folder / "out" / stage / "stage.json").read_bytes())


def names(evaluation: Evaluation) -> Sequence[str]:
    return [subject.name for subject in evaluation.subjects]


def test_a_pipeline_is_killed_and_goes_on_to_its_report(tmp_path: Path) -> None:
    (tmp_path / "small.toml").write_text(SMALL)
    process = begin(tmp_path)
    until = time.monotonic() + LIMIT_S
    while len(steps(tmp_path, "grpo")) < 2 and process.poll() is None and time.monotonic() < until:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert 2 <= len(steps(tmp_path, "grpo")) < 6
    sft = record(tmp_path, "sft")
    process = begin(tmp_path, "--json")
    out, err = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 0, err
    found = json.loads(out)
    assert record(tmp_path, "sft") == sft
    assert steps(tmp_path, "grpo") == [1, 2, 3, 4, 5, 6]
    assert steps(tmp_path, "launched") == [1]
    assert {each["status"] for each in found["stages"].values()} == {"done"}
    evaluation = Evaluation.model_validate_json((tmp_path / "out" / "evaluate" / FILE).read_bytes())
    policies = ["base", "sft", "grpo", "launched", "expert", "random search"]
    assert names(evaluation) == policies
    for subject in evaluation.subjects:
        assert set(subject.singles) == set(subject.loops) == {"held-in", "held-out"}
        assert subject.loops["held-out"].failed == 0
    assert all((one := evaluation.subject(name)) and one.swap for name in policies[:4])
    assert Path(tmp_path / found["report"]).is_file()
    changed = SMALL.replace("signal=binary", "version=2")
    (tmp_path / "small.toml").write_text(changed)
    process = begin(tmp_path, "--only", "launched")
    _, err = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 0, err
    assert "launched, again, for reward is ml-agent?version=2, was ml-agent?signal=binary" in err
    assert "grpo: done before" in err
