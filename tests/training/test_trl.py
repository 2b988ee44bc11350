"""What passes between our trainers and TRL: what trackers hear, and actions that TRL samples."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mlxlab.core.trainer import TrainProgress
from mlxlab.plugins.training.grpo import GRPO, GRPOConfig
from mlxlab.plugins.training.grpo.stepwise import Stepwise
from mlxlab.plugins.training.samples import read_samples
from mlxlab.plugins.training.sft import SFT, SFTConfig
from tests.training import toy
from tests.training.bandit import Bandit, job
from tests.training.test_grpo import SMALL, STATES
from tests.training.weights import changed

pytestmark = pytest.mark.train
Heard = list[tuple[int, dict[str, float]]]


@pytest.fixture
def bandit() -> Iterator[Bandit]:
    made = Bandit()
    yield made
    made.close()


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> Heard:
    """What a tracker is told, one that `report_to=ears` names as it would name wandb."""
    from transformers import TrainerCallback
    from transformers.integrations import integration_utils

    found: Heard = []

    def on_log(self: Any, args: Any, state: Any, control: Any, logs: Any, **_: Any) -> None:
        found.append((state.global_step, dict(logs)))

    ears = type("Ears", (TrainerCallback,), {"on_log": on_log})
    monkeypatch.setitem(integration_utils.INTEGRATION_TO_CALLBACK, "ears", ears)
    return found


def stepwise(out: Path, bandit: Bandit, **options: Any) -> list[TrainProgress]:
    told: list[TrainProgress] = []
    config = GRPOConfig(**{**SMALL, "steps": 2, "report_to": "ears", **options})
    GRPO(config).train(job(out, STATES, bandit, tell=told.append))
    return told


def test_trackers_of_grpo_hear_our_figures_beside_those_of_trl(
    tmp_path: Path, bandit: Bandit, heard: Heard
) -> None:
    told = stepwise(tmp_path, bandit)
    steps = [(step, logs) for step, logs in heard if "loss" in logs]
    assert [step for step, _ in steps] == [each.step for each in told] == [1, 2]
    for each, (_, logs) in zip(told, steps, strict=True):
        assert each.figures["reward"] > 0
        for name in ("reward", "improvement", "valid", "unique", "groups", "executed", "loss"):
            assert logs[name] == pytest.approx(each.figures[name], abs=1e-6)
        assert logs["completions/max_length"] <= 3


def test_trackers_of_sft_hear_the_loss(tmp_path: Path, heard: Heard) -> None:
    told: list[TrainProgress] = []
    config = SFTConfig(steps=4, batch=8, eval_steps=2, threads=1, report_to="ears")
    SFT(config).train(toy.job(tmp_path, toy.corpus(), tell=told.append))
    losses = {step: logs["loss"] for step, logs in heard if "loss" in logs}
    assert losses == pytest.approx({each.step: each.figures["loss"] for each in told})
    assert len(losses) == 4
    assert [step for step, logs in heard if "eval_loss" in logs] == [2, 4]


def test_what_trl_samples_is_learned_from(
    tmp_path: Path, bandit: Bandit, monkeypatch: pytest.MonkeyPatch, heard: Heard
) -> None:
    """As where weights are spread over processes: by TRL's `generate`, here on a CPU."""
    monkeypatch.setattr(Stepwise, "_drawn_elsewhere", lambda self: True)
    told = stepwise(tmp_path / "one", bandit, steps=1)
    told = stepwise(tmp_path / "two", bandit, steps=2)
    trained_on(told, tmp_path / "two", bandit)
    assert changed(tmp_path / "one" / "final", tmp_path / "two" / "final")


def test_what_vllm_samples_is_learned_from(
    tmp_path: Path, bandit: Bandit, monkeypatch: pytest.MonkeyPatch, heard: Heard
) -> None:
    """TRL is told the logarithms of probability that tokens were drawn with: here the true ones."""
    prepared = Stepwise.prepared

    def with_vllm(self: Any, *given: Any) -> None:
        prepared(self, *given)
        self.use_vllm, self.vllm_generation, self._last_loaded_step = True, Drawer(self.model), -1

    monkeypatch.setattr(Stepwise, "prepared", with_vllm)
    told = stepwise(tmp_path, bandit, max_completion_tokens=1)
    trained_on(told, tmp_path, bandit)
    for _, logs in [each for each in heard if "loss" in each[1]]:
        assert logs["sampling/sampling_logp_difference/max"] < 1e-4
        assert logs["sampling/importance_sampling_ratio/min"] == pytest.approx(1, abs=1e-4)


class Drawer:
    """Stands in for vLLM: draws one token for each prompt, and says how likely it was."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self.synced = 0

    def sync_weights(self) -> None:
        self.synced += 1

    def generate(self, prompts: list[list[int]], num_generations: int, **_: Any) -> tuple[Any, ...]:
        import torch

        assert all(
            prompts[place] == prompts[place - place % num_generations]
            for place in range(len(prompts))
        )
        assert self.synced  # with the weights as they are now
        ids, logprobs = [], []
        for prompt in prompts:
            with torch.no_grad():
                logits = self._model(input_ids=torch.tensor([prompt])).logits[0, -1]
            spread = torch.log_softmax(logits.float(), -1)
            token = int(torch.multinomial(spread.exp(), 1))
            ids.append([token])
            logprobs.append([[float(spread[token])]])
        return prompts, ids, logprobs, None


def trained_on(told: list[TrainProgress], out: Path, bandit: Bandit) -> None:
    """Two steps of 16 actions, each with the rewards of what was sampled, and a whole model."""
    import torch
    from safetensors.torch import load_file

    assert [each.step for each in told] == [1, 2]
    sampled = read_samples(out)
    assert [each.step for each in sampled] == [1] * 16 + [2] * 16
    pulled = {text for _, text in bandit.submitted}
    assert {each.text for each in sampled} <= pulled and len(pulled) > 8
    for each in told:
        assert each.figures["actions"] == 16
        assert all(math.isfinite(value) for value in each.figures.values())
    weights = load_file(out / "final" / "model.safetensors")
    assert all(bool(torch.isfinite(weight).all()) for weight in weights.values())
