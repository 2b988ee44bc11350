"""GRPO's probabilities with the prompt of a group read once, against TRL's own."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from mlxlab.plugins.training.grpo.sharing import of_group
from mlxlab.plugins.training.models import load_base

TEMPERATURE = 0.7


@pytest.fixture(scope="module")
def model() -> Any:
    from trl.trainer.utils import add_fused_lm_head

    loaded = load_base("tiny?hidden=32&layers=2&vocab=300", texts=["a text"], device="cpu")
    add_fused_lm_head(loaded.model, temperature=TEMPERATURE, outputs=("log_probs", "entropy"))
    return loaded.model


@pytest.fixture
def batch() -> tuple[torch.Tensor, torch.Tensor]:
    """Two prompts of different lengths, shuffled; the last row is masked as a truncated one."""
    dice = torch.Generator().manual_seed(0)
    prompts = torch.randint(5, 100, (2, 9), generator=dice)
    prompts[1, :4] = 0
    whose = torch.tensor([0, 1, 0, 0, 1, 1])
    ids = torch.cat([prompts[whose], torch.randint(5, 100, (6, 4), generator=dice)], 1)
    mask = torch.ones_like(ids)
    mask[whose == 1, :4] = 0
    mask[2, -2:] = 0
    mask[5, -4:] = 0
    return ids, mask


def by_trl(model: Any, ids: torch.Tensor, mask: torch.Tensor) -> Any:
    from contextlib import nullcontext

    from trl import GRPOTrainer

    me = SimpleNamespace(accelerator=SimpleNamespace(autocast=nullcontext))
    plain = GRPOTrainer._get_per_token_logps_and_entropies.__wrapped__
    return plain(me, model, ids, mask, 4, compute_entropy=True)[:2]


def test_numbers_and_gradients_are_those_of_trl(
    model: Any, batch: tuple[torch.Tensor, torch.Tensor]
) -> None:
    ids, mask = batch
    told = mask[:, -4:]
    gradients = []
    results = []
    for found in (of_group(model, ids, mask, 4), by_trl(model, ids, mask)):
        assert found is not None
        model.zero_grad()
        (found[0] * told).sum().backward()
        gradients.append([weight.grad.clone() for weight in model.parameters()])
        results.append([each.detach() * told for each in found])
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-5)
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def test_each_prompt_is_read_once(
    model: Any, batch: tuple[torch.Tensor, torch.Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    ids, mask = batch
    read: list[tuple[int, ...]] = []
    layers = model.base_model
    forward = layers.forward

    def counting(*given: Any, **named: Any) -> Any:
        read.append(tuple(named["input_ids"].shape))
        return forward(*given, **named)

    monkeypatch.setattr(layers, "forward", counting)
    assert of_group(model, ids, mask, 4) is not None
    assert read == [(2, 8), (6, 4)]  # but for the last token of each prompt
    alone = ids[:2], mask[:2]
    assert of_group(model, *alone, 4) is None
