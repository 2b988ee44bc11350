"""One training in two processes, as `accelerate launch` starts them for two GPUs: on CPUs here."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from mlxlab.api.training import Training
from mlxlab.plugins.training.samples import read_samples
from tests.cli.conftest import TOY_RUN, Place, distribution
from tests.training.pair import digest
from tests.training.weights import changed

pytestmark = [pytest.mark.train, pytest.mark.slow, pytest.mark.timeout(1200)]

LAUNCH = (
    *(sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2"),
    *("--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend", "no"),
    *("--main_process_port", "0", "-m"),
)
"""`--cpu` would start a single process; where there is no GPU, processes talk through gloo."""
STATES, GROUP = 4, 4
TRAIN = (
    *("train", "--model", "tiny?hidden=32&layers=1&vocab=300", "--sandbox", "memory"),
    *("--reward", "telltale", "--out", "out", "--json", "--trainer"),
    f"grpo?steps=2&states_per_step={STATES}&generations={GROUP}&max_completion_tokens=24&lr=1e-3"
    "&threads=1&entropy_bonus=0.01&max_s=3600",
)
TELLTALE = """
import os
from mlxlab.core.records import RewardValue
class Telltale:
    needs = frozenset()
    range = (0.0, 1.0)
    def judge(self, step, task):
        with open(f"judged-{os.environ['RANK']}", "a") as file:
            print(step.decision.prompt, step.decision.score, file=file)
        return RewardValue(value=float(step.action is not None), reason="an action, or none")
"""
"""Writes down which process has an action of which state judged."""


def launched(place: Place, *words: str) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in place.env.items() if name != "PYTHONWARNINGS"}
    return subprocess.run(
        [*LAUNCH, *words],
        cwd=place.work,
        env={**env, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=500,
    )


def test_two_processes_share_the_actions_and_one_keeps_the_record(tmp_path: Path) -> None:
    """A model made from nothing: both stages, the second from what the first one wrote."""
    place = Place(tmp_path)
    place.module("telltale", TELLTALE)
    distribution(place.site, "telltale", {"reward.telltale": "telltale:Telltale"})
    for seed in "01":
        done = place.mlx(*TOY_RUN, "--policy", "writer", "--steps", "6", "--quiet", "--seed", seed)
        assert done.returncode == 0, done.stderr

    done = launched(place, "mlxlab", *TRAIN)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["status"] == "done"
    out = place.work / "out"
    finished(out / "sft", 200)
    finished(out, 2)
    assert changed(out / "sft" / "final", out / "final")

    figures = [step.figures for step in Training(out).steps]
    assert [each["actions"] for each in figures] == [STATES * GROUP] * 2
    assert [each["transitions"] for each in figures] == [STATES * GROUP, 2 * STATES * GROUP]
    drawn = [(sample.step, sample.state) for sample in read_samples(out)]
    assert set(Counter(drawn).values()) == {GROUP} and len(set(drawn)) == 2 * STATES
    first, second = (judged(place, rank) for rank in (0, 1))
    assert first.keys().isdisjoint(second.keys())
    assert set((first | second).values()) == {GROUP} and len(first) == len(second) == STATES

    again = launched(place, "mlxlab", *TRAIN)
    assert again.returncode == 0, again.stderr
    assert again.stderr.count("Nothing is left to do") == 1
    assert again.stdout == done.stdout


def test_both_processes_come_to_the_same_weights(tmp_path: Path) -> None:
    """Each has actions and rewards of its own, and learns from those of the other one, too."""
    from safetensors.torch import load_file

    place = Place(tmp_path)
    done = launched(place, "tests.training.pair", ".")
    assert done.returncode == 0, done.stderr
    first, second = ((place.work / f"weights-{rank}").read_text() for rank in (0, 1))
    assert first == second
    samples = read_samples(place.work)
    assert [sample.step for sample in samples] == [n // 64 + 1 for n in range(3 * 64)]
    kept = [load_file(path) for path in place.work.glob("checkpoints/*/model.safetensors")]
    assert len({digest(weights) for weights in kept}) == len(kept) == 2


def finished(out: Path, steps: int) -> None:
    """A whole record, each step once, weights that are numbers."""
    import torch
    from safetensors.torch import load_file

    done = Training(out)
    assert (done.manifest.status, done.manifest.sessions) == ("done", 1)
    assert [step.step for step in done.steps] == list(range(1, steps + 1))
    weights = load_file(out / "final" / "model.safetensors")
    assert all(bool(torch.isfinite(weight).all()) for weight in weights.values())


def judged(place: Place, rank: int) -> Counter[str]:
    """How many actions of each state a process had judged."""
    return Counter((place.work / f"judged-{rank}").read_text().splitlines())
