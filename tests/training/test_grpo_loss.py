"""TRL's own advantages and loss, with our settings, against numbers worked out by hand."""

from __future__ import annotations

from math import exp, sqrt
from pathlib import Path
from typing import Any

import pytest

from mlxlab.plugins.training.grpo.config import GRPOConfig
from mlxlab.plugins.training.grpo.layout import layout
from mlxlab.plugins.training.grpo.rollouts import Rollouts
from mlxlab.plugins.training.grpo.settings import settings
from mlxlab.plugins.training.models import load_base
from mlxlab.plugins.training.quiet import quiet
from tests.training.bandit import BASE, Bandit, job, state

pytestmark = pytest.mark.train

OLD = [[-1.0, -2.0, -0.5], [-1.5, -0.7, 0.0]]
RATIOS = [[1.5, 1.0, 0.9], [0.7, 1.25, 1.0]]
REFERENCE = [[0.2, 0.0, -0.1], [0.0, 0.3, 5.0]]
"""How much likelier the start policy finds each token, as a logarithm; the last one is padding."""
MASK = [[1, 1, 1], [1, 1, 0]]
ADVANTAGES = [0.8, -0.6]


@pytest.fixture(scope="module")
def trainer(tmp_path_factory: pytest.TempPathFactory) -> Any:
    from datasets import Dataset
    from trl import GRPOTrainer

    config = GRPOConfig(steps=1, states_per_step=1, generations=2, beta=0.1)
    made = job(tmp_path_factory.mktemp("job"), [state("a")], Bandit())
    with quiet():
        loaded = load_base(BASE.spec, texts=["ab"])
        arguments = settings(config, made, loaded, layout(config))
        arguments.beta = 0.0  # or TRL wants to load a start policy from disk
        trainer = GRPOTrainer(
            model=loaded.model,
            reward_funcs=Rollouts.rewards,
            args=arguments,
            train_dataset=Dataset.from_dict({"prompt": ["0"]}),
            processing_class=loaded.tokenizer,
        )
    trainer.beta = config.beta
    trainer.current_gradient_accumulation_steps = 1
    trainer.model.train()
    return trainer


def loss(
    trainer: Any,
    monkeypatch: pytest.MonkeyPatch,
    padding: float = 0.0,
    entropies: list[list[float]] | None = None,
) -> tuple[Any, Any]:
    """The loss on the example, and the log-probabilities that it can be derived by."""
    import torch

    old = torch.tensor(OLD)
    now = old + torch.tensor(RATIOS).log()
    now[1, 2] = padding
    now.requires_grad_()
    monkeypatch.setattr(
        trainer,
        "_get_per_token_logps_and_entropies",
        lambda *_, **__: (now, torch.tensor(entropies or [[0.0] * 3] * 2), None),
    )
    ids = torch.zeros(2, 3, dtype=torch.long)
    inputs = {
        "prompt_ids": ids[:, :1],
        "prompt_mask": torch.ones(2, 1),
        "completion_ids": ids,
        "completion_mask": torch.tensor(MASK),
        "advantages": torch.tensor(ADVANTAGES),
        "old_per_token_logps": old,
        "ref_per_token_logps": now.detach() + torch.tensor(REFERENCE),
        "num_items_in_batch": torch.tensor(5),
    }
    return trainer._compute_loss(trainer.model, inputs), now


def test_clipped_ratios_kl_and_mask(trainer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ratios are clipped to 0.8 .. 1.2 where that makes the objective smaller."""
    first = [
        -min(1.5 * 0.8, 1.2 * 0.8),  # clipped: a gain beyond 1.2 counts no more
        -0.8,
        -0.9 * 0.8,
    ]
    second = [
        -min(0.7 * -0.6, 0.8 * -0.6),  # clipped: -0.48 is the smaller one
        -min(1.25 * -0.6, 1.2 * -0.6),  # not clipped: what got worse always counts
    ]
    kl = [
        [ratio * (exp(d) - d - 1) for ratio, d in zip(*pair, strict=True)]
        for pair in zip(RATIOS, REFERENCE, strict=True)
    ]
    rows = [
        sum(value + 0.1 * k for value, k in zip(first, kl[0], strict=True)) / 3,
        sum(value + 0.1 * k for value, k in zip(second, kl[1][:2], strict=True)) / 2,
    ]
    found, _ = loss(trainer, monkeypatch)
    assert found.item() == pytest.approx(sum(rows) / 2, abs=1e-6)
    assert found.item() == pytest.approx(-0.1036676, abs=1e-6)  # and as a number


def test_clipped_tokens_and_padding_have_no_gradient_of_the_policy(
    trainer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer.beta = 0.0
    try:
        found, now = loss(trainer, monkeypatch)
    finally:
        trainer.beta = 0.1
    found.backward()
    # d(-ratio * advantage) = -ratio * advantage, over tokens of the row and over two rows
    wanted = [[0.0, -0.8 / 6, -0.72 / 6], [0.0, 1.25 * 0.6 / 4, 0.0]]
    for row, hand in zip(now.grad.tolist(), wanted, strict=True):
        assert row == pytest.approx(hand, abs=1e-6)


def test_what_stands_at_padding_changes_nothing(
    trainer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = {loss(trainer, monkeypatch, padding)[0].item() for padding in (0.0, -3.0, 2.0)}
    assert len(values) == 1


def test_entropy_is_worth_its_bonus(trainer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    # The mean over the five tokens, padding left out: (0.1 + 0.2 + 0.3 + 0.4 + 0.5) / 5 = 0.3.
    entropies = [[0.1, 0.2, 0.3], [0.4, 0.5, 9.0]]
    without, _ = loss(trainer, monkeypatch, entropies=entropies)
    monkeypatch.setattr(trainer, "_entropy_bonus_enabled", True)
    monkeypatch.setattr(trainer, "entropy_coef", 0.05)
    with_bonus, _ = loss(trainer, monkeypatch, entropies=entropies)
    assert (without - with_bonus).item() == pytest.approx(0.05 * 0.3)


def test_advantages_are_relative_to_the_group_and_none_is_left_out(trainer: Any) -> None:
    """Of rewards 0, 1, none and 0.5: mean 0.5 and standard deviation 0.5 of three."""
    import torch

    rewards = [0.0, 1.0, None, 0.5, 0.3, 0.3, 0.3, 0.3, None, None, None, None]
    trainer.num_generations = 4
    try:
        found = advantages(trainer, rewards)
    finally:
        trainer.num_generations = 2
    deviation = sqrt((0.5**2 + 0.5**2) / 2)
    one = 0.5 / (deviation + 1e-4)
    assert found == pytest.approx([-one, one, 0.0, 0.0] + [0.0] * 8, abs=1e-5)
    assert not torch.tensor(found).isnan().any()


def advantages(trainer: Any, rewards: list[float | None]) -> list[float]:
    """What TRL makes of rewards: its code after sampling, with the sampling put in its place."""
    count = len(rewards)
    rows = [[1, 2, 3]] * count

    def paid(**_: Any) -> list[float | None]:
        return rewards

    drawn = (rows, rows, None, ["x"] * count, None, {}, None, [])
    before = trainer.reward_funcs, trainer._generate
    trainer.reward_funcs = [paid]
    trainer._generate = lambda prompts: drawn
    trainer.beta = 0.0
    try:
        with quiet():
            found = trainer._generate_and_score_completions([{"prompt": "0"}] * count)
    finally:
        trainer.reward_funcs, trainer._generate = before
        trainer.beta = 0.1
    return [float(value) for value in found["advantages"]]


def test_paths_stay_below_the_training_s_folder(trainer: Any) -> None:
    assert Path(trainer.args.output_dir).name == "checkpoints"
