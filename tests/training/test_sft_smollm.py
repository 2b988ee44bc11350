"""A real model, SmolLM2-135M: taught what agents recorded with real programs, then RL."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path

import pytest

import mlxlab
from mlxlab.api.training import Training, TrainOptions, plan_training, run_plan
from mlxlab.plugins.training.samples import read_samples
from tests.engines import smollm_weights
from tests.training.test_final import answered
from tests.training.weights import changed

pytestmark = [pytest.mark.train, pytest.mark.slow]
PATIENT = 300.0
"""Seconds of one execution: what is learned does not depend on how busy the machine is."""
RECIPES = 4
SHOWN = {
    "aide?preview_chars=0": ("temperature", "catalog", 1),
    "linear?preview_chars=0": ("temperature", "catalog", 1),
    "recipe?explain=false&history=2": ("generated:linear/1", "random", RECIPES),
}
"""Task, policy and steps. A step of AIDE is 2,700 tokens with its program, one of the linear agent
1,800, a recipe's 150: the first two cost a core half a minute each, so that they are shown once."""
LORA = "lora=true&lora_r=8&threads=1"
TAUGHT = (
    f"sft?epochs=1&batch=1&{LORA}&lr=1e-3&schedule=constant&warmup=0&validation=0"
    "&gradient_checkpointing=true&save_s=1000"
)
STEPS, GROUP = 5, 4
ACTIONS = 2 * GROUP
STEPWISE = (
    f"grpo?steps={STEPS}&states_per_step=2&choose=task&generations={GROUP}&micro_batch={GROUP}"
    f"&max_completion_tokens=28&{LORA}&lr=1e-4&temperature=0.7&kl_rows=0&entropy_bonus=0.001"
    "&save_steps=5"
)
"""Of the two tasks each step draws a state, so that one of them is AIDE's."""


def recorded(runs: Path) -> dict[str, Path]:
    """A run of each scaffold."""
    return {
        scaffold.partition("?")[0]: mlxlab.run(
            task=task, scaffold=scaffold, policy=policy, steps=steps, out=runs, exec_timeout=PATIENT
        ).folder
        for scaffold, (task, policy, steps) in SHOWN.items()
    }


def train(runs: list[Path], out: Path, trainer: str, model: str) -> Training:
    options = TrainOptions(
        runs=tuple(runs), out=out, trainer=trainer, model=model, workers=1, exec_timeout_s=PATIENT
    )
    return run_plan(plan_training(options))


def test_a_real_model_learns_real_steps_and_goes_on_step_by_step(tmp_path: Path) -> None:
    """Each RL step is at a state of AIDE, of 1,080 tokens, and at one of the `recipe` scaffold.

    28 tokens hold a recipe, and no whole program of AIDE: its actions are all worth the same.
    The entropy's bonus moves the weights where no group's rewards differ.
    """
    runs = recorded(tmp_path / "runs")
    taught = train([*runs.values()], tmp_path / "sft", TAUGHT, f"local:{smollm_weights()}")
    assert len(taught.steps) == 2 + RECIPES
    assert all(0 < step.figures["loss"] < 5 for step in taught.steps)
    assert not taught.manifest.warnings
    card = (taught.folder / "final" / "README.md").read_text()
    assert "`temperature`" in card and "of which" in card

    done = train([runs["aide"], runs["recipe"]], tmp_path / "grpo", STEPWISE, taught.policy)
    assert [step.step for step in done.steps] == list(range(1, STEPS + 1))
    for step in done.steps:
        assert all(map(math.isfinite, step.figures.values()))
        assert step.figures["actions"] == ACTIONS and step.figures["grad_norm"] > 0
    assert sum(step.figures["executed"] for step in done.steps) > 0
    sampled = read_samples(done.folder)
    assert [sample.step for sample in sampled] == [n // ACTIONS + 1 for n in range(ACTIONS * STEPS)]
    assert all(sample.reward is not None for sample in sampled)
    asked = Counter(sample.state.partition("/")[0] for sample in sampled)
    assert asked == {runs[name].name: GROUP * STEPS for name in ("aide", "recipe")}
    assert changed(taught.folder / "final", done.folder / "final")
    assert answered(done.policy).startswith("local/final@")
