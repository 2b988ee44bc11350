"""Fine-tuning and step-wise RL on a competition that comes through the adapter of MLE-Dojo."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

import mlxlab
from mlxlab.api.training import Training, TrainOptions, plan_training, run_plan
from mlxlab.plugins.training.samples import read_samples
from tests.tasks.peers import mledojo_layout
from tests.training.weights import changed

pytestmark = [pytest.mark.train, pytest.mark.slow]
SCAFFOLD = "recipe?explain=false&history=2"
BASE = "tiny?hidden=64&layers=1&vocab=500"
TAUGHT = "sft?steps=90&batch=8&lr=1e-2&validation=0&threads=1"
STEPS = 20
STEPWISE = (
    f"grpo?steps={STEPS}&states_per_step=1&generations=4&max_completion_tokens=32&lr=5e-4"
    "&save_steps=10&threads=1"
)


def recorded(task: str, runs: Path) -> None:
    """What a random search and a hill climber did, each step with a program that was run."""
    for policy, steps in (("random", 8), ("climb", 4)):
        mlxlab.run(task=task, scaffold=SCAFFOLD, policy=policy, steps=steps, out=runs)


def train(runs: Path, out: Path, trainer: str, model: str) -> Training:
    options = TrainOptions(runs=(runs,), out=out, trainer=trainer, model=model, workers=2)
    return run_plan(plan_training(options))


def test_a_tiny_model_learns_step_by_step_on_a_task_of_mle_dojo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    task = f"mledojo:tiny-rents?repo={mledojo_layout.clone(tmp_path)}&public=0.5"
    runs = tmp_path / "runs"
    recorded(task, runs)
    taught = train(runs, tmp_path / "sft", TAUGHT, BASE)
    assert taught.manifest.corpus.tasks.keys() == {task}
    done = train(runs, tmp_path / "grpo", STEPWISE, taught.policy)

    assert [step.step for step in done.steps] == list(range(1, STEPS + 1))
    assert sum(step.figures["executed"] for step in done.steps) > 0
    sampled = read_samples(done.folder)
    assert [sample.step for sample in sampled] == [n // 4 + 1 for n in range(4 * STEPS)]
    rewards = [sample.reward for sample in sampled if sample.reward is not None]
    assert all(map(math.isfinite, rewards)) and len(set(rewards)) > 3
    assert "ok" in {sample.status for sample in sampled}
    assert changed(taught.folder / "final", done.folder / "final")

    policy = f"{done.policy}?threads=1&temperature=0"
    run = mlxlab.run(task=task, scaffold=SCAFFOLD, policy=policy, steps=1, out=tmp_path / "own")
    (step,) = run.steps
    assert (step.decision.task, step.decision.scaffold.spec) == ("tiny-rents", SCAFFOLD)
    assert step.completion is not None and '"model"' in step.completion.text
