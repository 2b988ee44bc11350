"""kill -9 loses at most the optimizer step that was being taken."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mlxlab.core.trainer import TrainProgress
from mlxlab.plugins.training.samples import read_samples
from tests.training.test_grpo import same
from tests.training.victim import lines

pytestmark = [pytest.mark.train, pytest.mark.slow, pytest.mark.timeout(1800)]
STEPS = 24
LIMIT_S = 500.0


def begin(out: Path) -> subprocess.Popen[bytes]:
    out.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "tests.training.victim", str(out), str(STEPS)]
    return subprocess.Popen(command, env={**os.environ, "OMP_NUM_THREADS": "1"})


def steps(out: Path) -> list[int]:
    found = lines(out / "train.jsonl")
    return [TrainProgress.model_validate_json(line).step for line in found]


def killed(out: Path, after: int) -> int:
    """Kill a training once it has told of so many steps; returns how many it had told of."""
    process = begin(out)
    until = time.monotonic() + LIMIT_S
    while len(steps(out)) < after and process.poll() is None and time.monotonic() < until:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    return len(steps(out))


def newest(out: Path) -> int:
    found = (out / "checkpoints").glob("checkpoint-*/whole.json")
    return max(int(each.parent.name.rpartition("-")[2]) for each in found)


def test_a_training_killed_twice_takes_every_step_once(tmp_path: Path) -> None:
    parts, whole = tmp_path / "parts", tmp_path / "whole"
    for after in (3, 9):
        told = killed(parts, after)
        assert after <= told < STEPS
        assert newest(parts) in (told, told + 1)  # saved, and perhaps not told of yet
    assert begin(parts).wait(LIMIT_S) == 0
    assert begin(whole).wait(LIMIT_S) == 0
    assert steps(parts) == steps(whole) == list(range(1, STEPS + 1))
    drawn = [
        [(each.step, each.state, each.text) for each in read_samples(p)] for p in (parts, whole)
    ]
    assert drawn[0] == drawn[1]
    assert same(parts, whole)
