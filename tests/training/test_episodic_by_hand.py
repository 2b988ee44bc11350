"""The update of `episodic-grpo` on two episodes, against numbers worked out by hand.

The first episode has two actions, of the tokens 1, 0, 1 and of the token 1, and the advantage 0.5;
the second one action of two tokens 1, and the advantage -2. A last action is of an episode without
an advantage. All tokens were drawn with probability 1/2 and now have 3/4 (token 1) or 1/4.
"""

from __future__ import annotations

from math import exp, log
from typing import Any

import pytest

pytest.importorskip("torch", reason="the extra 'train' is not installed")

import torch

from mlxlab.plugins.training.episodic.config import EpisodicConfig
from mlxlab.plugins.training.episodic.update import Played, Update
from tests.training.tables import Table, Tabled, Z, drawn

pytestmark = pytest.mark.train

LOGITS = [[Z] * 3] * 4

# Ratios 3/2 are held at 1.2 where the advantage is positive: -0.6, -0.25, -0.6; -0.6; 3, 3. The
# mean over the four tokens of the first episode is -2.05 / 4, over those of the second 3.
LOSS = (-2.05 / 4 + 3) / 2
# What is not held has a gradient: -0.25 by its logarithm of probability, whose derivative by the
# logit is -3/4, at a weight of 1/4 x 1/2; and 3, with the derivative 1/4, at one of 1/2 x 1/2.
MOVED: list[list[float]] = [
    [0, -0.25 * 3 / 4 / 8, 0],
    [0, 0, 0],
    [-3 / 4 / 4, -3 / 4 / 4, 0],
    [0, 0, 0],
]

# The policy began 0.2 below the one that drew: d is ln(3/2) + 0.2 and ln(1/2) + 0.2, and k3 is
# exp(-d) - 1 + d, with the derivative 1 - exp(-d).
UP, DOWN = 2 / 3 * exp(-0.2), 2 * exp(-0.2)
OFTEN, ONCE = UP - 1 + log(3 / 2) + 0.2, DOWN - 1 + log(1 / 2) + 0.2
A, B, C = 0.1 * (1 - UP) / 8 / 4, 0.1 * (1 - DOWN) / 8 * 3 / 4, 0.1 * (1 - UP) / 4 / 4
WITH_KL: list[list[float]] = [
    [-A, -0.25 * 3 / 4 / 8 + B, -A], [-A, 0, 0], [-3 / 4 / 4 - C, -3 / 4 / 4 - C, 0], [0, 0, 0],
]  # fmt: skip


@pytest.mark.parametrize(
    ("options", "loss", "moved", "clipped"),
    [
        ({}, LOSS, MOVED, 3 / 8),
        ({"micro_batch": 1}, LOSS, MOVED, 3 / 8),
        # Each episode is a minibatch of its own, so that it counts twice as much in one step.
        ({"minibatches": 2}, LOSS, [[2 * z for z in row] for row in MOVED], 3 / 8),
        ({"beta": 0.1}, LOSS + 0.1 * ((3 * OFTEN + ONCE) / 4 + OFTEN) / 2, WITH_KL, 3 / 8),
        # Held at 1.6, no ratio is: -0.75, -0.25, -0.75; -0.75.
        ({"epsilon_high": 0.6}, (-2.5 / 4 + 3) / 2,
         [[0.75 / 8 / 4, MOVED[0][1], 0.75 / 8 / 4], [0.75 / 8 / 4, 0, 0], *MOVED[2:]], 0),
    ],
    ids=["base", "portions", "minibatches", "kl", "epsilon-high"],
)  # fmt: skip
def test_an_update(
    options: dict[str, Any], loss: float, moved: list[list[float]], clipped: float
) -> None:
    config = EpisodicConfig(max_grad_norm=1e9, **options)
    policy = Table(LOGITS, policy=True)
    sequences = drawn([[1, 0, 1], [1], [1, 1], [1, 0]])
    logprobs = log(1 / 2) * sequences.mask
    played = Played(
        sequences=sequences,
        rows=[range(2), range(2, 3)],
        advantages=torch.tensor([0.5, 0.5, -2.0, 9.0]),
        logprobs=logprobs,
        before=logprobs - 0.2 * sequences.mask,
    )
    figures = Update(Tabled(config, policy), config)(played, "seed")
    torch.testing.assert_close(
        torch.tensor(policy.moved(LOGITS)), torch.tensor(moved), rtol=0, atol=1e-5
    )
    assert figures["loss"] == pytest.approx(loss, abs=1e-5)
    assert figures["clip_fraction"] == pytest.approx(clipped, abs=1e-5)
