"""PPO's `material` and `Update` on three tokens, against numbers worked out by hand.

One action has a reward, 1.0, and three tokens: 1, 0 and 1. A second one has four tokens and no
reward: nothing of it may count, so what is said of it is absurd, and its numbers must not move.

    the policy now    logits (0, ln 3) at each token: probabilities 3/4, 1/4 and 3/4
    as it drew        1/2 each: the ratios are 3/2, 1/2 and 3/2
    as it began       0.2, -0.1 and 0.4 below that in logarithms: the KL by k1
    values then       0.35, 0.17 and 1.46
    values now        0.95, 0.22 and 1.41

The optimizer takes the gradient away once. By its logit, the logarithm of a token's probability p
has the derivative 1 - p for token 1 and -(1 - p) for token 0: 1/4, -3/4 and 1/4.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import exp, log
from typing import Any

import pytest

pytest.importorskip("torch", reason="the extra 'train' is not installed")

import torch

from mlxlab.plugins.training.ppo.config import PPOConfig
from mlxlab.plugins.training.ppo.rollout import Material, Opinions, material
from mlxlab.plugins.training.ppo.update import Update
from tests.training.tables import Table, Tabled, Z, drawn, falling

pytestmark = pytest.mark.train

OPTIONS: dict[str, Any] = {"beta": 0.1, "value_clip": 0.1, "minibatches": 1, "max_grad_norm": 1e9}
HALF = log(1 / 2)
LOGITS = [[Z, Z, Z, 0.5], [0.5, 0.5, 0.5, 0.5]]
VALUES = [[0.95, 0.22, 1.41, 7.0], [7.0, 7.0, 7.0, 7.0]]
NOTHING = [0.0, 0.0, 0.0, 0.0]


def opinions() -> Opinions:
    kl = torch.tensor([[0.2, -0.1, 0.4, 0.0], NOTHING])
    logprobs = torch.tensor([[HALF, HALF, HALF, 0.0], [-1.0, -1.0, -1.0, -1.0]])
    return Opinions(
        sequences=drawn([[1, 0, 1], [1, 0, 1, 1]]),
        logprobs=logprobs,
        entropy=torch.zeros(2, 4),
        values=torch.tensor([[0.35, 0.17, 1.46, 0.0], [1e3, -1e3, 1e3, 1e3]]),
        before=logprobs - kl,
    )


def made(**options: Any) -> Material:
    return material(opinions(), [1.0, None], PPOConfig(**{**OPTIONS, **options}), None)


def close(found: Any, wanted: Any) -> None:
    expected = torch.tensor(wanted)
    torch.testing.assert_close(torch.as_tensor(found), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("options", "advantages", "returns"),
    [
        # Rewards are -0.1 x 0.2, 0.1 x 0.1 and 1 - 0.1 x 0.4. What is still to come is 0.95, 0.97
        # and 0.96, less the values 0.6, 0.8 and -0.5: mean 0.3, deviations 0.3, 0.5 and -0.8, whose
        # squares are 0.98 together, so the variance is 0.98 / 2 = 0.7^2.
        ({}, [3 / 7, 5 / 7, -8 / 7], [0.95, 0.97, 0.96]),
        ({"whiten": False}, [0.6, 0.8, -0.5], [0.95, 0.97, 0.96]),
        # k2 is 0.02, 0.005 and 0.08: rewards -0.002, -0.0005 and 0.992.
        ({"whiten": False, "kl_estimator": "k2"}, [0.6395, 0.8215, -0.468],
         [0.9895, 0.9915, 0.992]),
        # k3 is exp(-0.2) - 0.8, exp(0.1) - 1.1 and exp(-0.4) - 0.6.
        ({"whiten": False, "kl_estimator": "k3", "lam": 0.0},
         [-0.1 * (exp(-0.2) - 0.8) + 0.17 - 0.35, -0.1 * (exp(0.1) - 1.1) + 1.46 - 0.17,
          1 - 0.1 * (exp(-0.4) - 0.6) - 1.46],
         [-0.1 * (exp(-0.2) - 0.8) + 0.17, -0.1 * (exp(0.1) - 1.1) + 1.46,
          1 - 0.1 * (exp(-0.4) - 0.6)]),
        # No KL in the reward: 1 is still to come at each token.
        ({"whiten": False, "kl_place": "loss"}, [0.65, 0.83, -0.46], [1.0, 1.0, 1.0]),
        # Deltas -0.02 + 0.9 x 0.17 - 0.35 = -0.217, 0.01 + 0.9 x 1.46 - 0.17 = 1.154 and -0.5;
        # backwards -0.5, 1.154 - 0.45 x 0.5 = 0.929, -0.217 + 0.45 x 0.929 = 0.20105.
        ({"whiten": False, "gamma": 0.9, "lam": 0.5}, [0.20105, 0.929, -0.5],
         [0.55105, 1.099, 0.96]),
    ],
    ids=["base", "unwhitened", "k2", "k3", "kl-in-loss", "gamma-lambda"],
)  # fmt: skip
def test_advantages_and_returns(
    options: dict[str, Any], advantages: list[float], returns: list[float]
) -> None:
    found = made(**options)
    close(found.mask, [[1.0, 1.0, 1.0, 0.0], NOTHING])
    close(found.advantages, [[*advantages, 0.0], NOTHING])
    close(found.returns, [[*returns, 0.0], NOTHING])


@dataclass(frozen=True)
class Wanted:
    """Means over the tokens, and where the numbers of the first action go."""

    loss: float = 5.9 / 21
    logits: tuple[float, float, float] = (0.0, -1.875 / 21, -3 / 21)
    clipped: float = 1 / 3
    value_loss: float = 1.015 / 6
    values: tuple[float, float, float] = (0.0, 0.25, -0.15)


# Clipped to 0.8 .. 1.2, the surrogates are -1.2 x 3/7 (held), -0.5 x 5/7 and 1.5 x 8/7:
# (-3.6 - 2.5 + 12) / 21. A token that is held has no gradient; the others have their surrogate,
# times the derivative above: -2.5/21 x -3/4 and 12/21 x 1/4.
#
# Values are held within 0.1 of those then: the first at 0.45, half a unit below its return 0.95
# although it has reached it, without a gradient; the others miss by 0.75 and -0.45. Half the
# squares: (0.25 + 0.5625 + 0.2025) / 6; a step is what is missed, over three.
BASE = Wanted()

# With whiten=false the surrogates are -1.2 x 0.6, -0.5 x 0.8 and 1.5 x 0.5.
UNWHITENED = Wanted(loss=(-0.72 - 0.4 + 0.75) / 3, logits=(0.0, -0.4 / 3 * 3 / 4, -0.75 / 3 / 4))

# The KL as a loss: d is ln(3/2) + 0.2, ln(1/2) - 0.1 and ln(3/2) + 0.4. By k3 it is
# exp(-d) - 1 + d with the derivative 1 - exp(-d), where exp(-d) is 2/3 exp(-0.2), 2 exp(0.1) and
# 2/3 exp(-0.4); by k2 d^2 / 2 with the derivative d. Advantages are 0.65, 0.83 and -0.46, returns
# 1, which the values miss by 0.55 (held), 0.78 and -0.41.
D = (log(3 / 2) + 0.2, log(1 / 2) - 0.1, log(3 / 2) + 0.4)
E = (2 / 3 * exp(-0.2), 2 * exp(0.1), 2 / 3 * exp(-0.4))
IN_LOSS = Wanted(
    loss=(-1.2 * 0.65 - 0.5 * 0.83 + 1.5 * 0.46 + 0.1 * (sum(E) - 3 + sum(D))) / 3,
    logits=(
        -0.1 * (1 - E[0]) / 3 / 4,
        (-0.5 * 0.83 + 0.1 * (1 - E[1])) / 3 * 3 / 4,
        -(1.5 * 0.46 + 0.1 * (1 - E[2])) / 3 / 4,
    ),
    value_loss=(0.55**2 + 0.78**2 + 0.41**2) / 6,
    values=(0.0, 0.26, -0.41 / 3),
)
IN_LOSS_K2 = replace(
    IN_LOSS,
    loss=(-1.2 * 0.65 - 0.5 * 0.83 + 1.5 * 0.46 + 0.05 * sum(d * d for d in D)) / 3,
    logits=(
        -0.1 * D[0] / 3 / 4,
        (-0.5 * 0.83 + 0.1 * D[1]) / 3 * 3 / 4,
        -(1.5 * 0.46 + 0.1 * D[2]) / 3 / 4,
    ),
)

# The entropy is ln 4 - 3/4 ln 3 at each token; by the logit z it falls by z p (1 - p) = 3/16 ln 3,
# and half of it is taken from the loss, so each logit falls by half of that over three.
FALL = 0.5 * Z * 3 / 16 / 3
BONUS = Wanted(
    loss=5.9 / 21 - 0.5 * (log(4) - 0.75 * Z), logits=(-FALL, -1.875 / 21 - FALL, -3 / 21 - FALL)
)

# The same actions again: the logits are ln 3, ln 3 - 1.875/21 and ln 3 - 3/21, the ratios 3/2 (held
# at 1.2), and twice P and Q, which are the probabilities of the tokens 0 and 1 there. Values are
# 0.95, 0.47 and 1.26, held at 0.45, 0.27 and 1.36: these miss by 0.5, 0.7 and -0.4, and as that is
# more than the values themselves do, there is no gradient.
P = 1 / (1 + exp(Z - 1.875 / 21))
Q = 1 / (1 + exp(-Z + 3 / 21))
TWICE = Wanted(
    loss=(5.9 / 21 + (-3.6 - 10 * P + 16 * Q) / 21) / 2,
    logits=(0.0, -1.875 / 21 - 10 * P * (1 - P) / 21, -3 / 21 - 16 * Q * (1 - Q) / 21),
    value_loss=(1.015 / 6 + (0.25 + 0.49 + 0.16) / 6) / 2,
)


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({}, BASE),
        ({"micro_batch": 1}, BASE),
        ({"minibatches": 2}, BASE),  # the second action is a minibatch without a token that counts
        ({"whiten": False}, UNWHITENED),
        # The first is held at 1.6 alone, that is not at all: -1.5 x 3/7.
        ({"epsilon_high": 0.6}, replace(
            BASE, loss=5 / 21, logits=(4.5 / 21 / 4, *BASE.logits[1:]), clipped=0.0)),
        ({"kl_place": "loss", "whiten": False}, IN_LOSS),
        ({"kl_place": "loss", "whiten": False, "kl_estimator": "k2"}, IN_LOSS_K2),
        ({"entropy_bonus": 0.5}, BONUS),
        ({"value_clip": None}, replace(BASE, value_loss=0.765 / 6)),  # 0 + 0.5625 + 0.2025
        ({"value_weight": 0.5}, replace(BASE, values=(0.0, 0.125, -0.075))),
        ({"epochs": 2}, TWICE),
    ],
    ids=["base", "portions", "minibatches", "unwhitened", "epsilon-high", "kl-in-loss", "k2",
         "entropy", "no-value-clip", "value-weight", "epochs"],
)  # fmt: skip
def test_an_update(options: dict[str, Any], wanted: Wanted) -> None:
    config = PPOConfig(**{**OPTIONS, **options})
    policy, critic = Table(LOGITS, policy=True), Table(VALUES, policy=False)
    update = Update(Tabled(config, policy), falling(critic), config)
    figures = update(made(**options), 1, "seed")
    close(policy.moved(LOGITS), [[*wanted.logits, 0.0], NOTHING])
    close(critic.moved(VALUES), [[*wanted.values, 0.0], NOTHING])
    close(figures["loss"], wanted.loss)
    close(figures["value_loss"], wanted.value_loss)
    close(figures["clip_fraction"], wanted.clipped)


def test_how_far_an_update_has_gone() -> None:
    """By k3 of the policy that drew against the one now: r - 1 - ln r for a ratio r."""
    config = PPOConfig(**OPTIONS)
    policy, critic = Table(LOGITS, policy=True), Table(VALUES, policy=False)
    figures = Update(Tabled(config, policy), falling(critic), config)(made(), 1, "seed")
    close(figures["step_kl"], (0.5 - 0.5 + 0.5 - 2 * log(3 / 2) - log(1 / 2)) / 3)


@pytest.mark.parametrize("rows", [1, 2])
def test_portions_add_up_to_the_mean_over_a_minibatchs_tokens(rows: int) -> None:
    """Three tokens with the advantage 1, and one of another action with -1.

    The surrogates are -1.2 (held), -0.5, -1.2 (held) and 1.5, their sum -1.4; those with a gradient
    have -0.5 x -3/4 and 1.5 x 1/4, over four. Each value misses its return by 1.
    """
    config = PPOConfig(**{**OPTIONS, "beta": 0.0, "micro_batch": rows})
    policy, critic = Table([[Z] * 3] * 2, policy=True), Table([[0.0] * 3] * 2, policy=False)
    sequences = drawn([[1, 0, 1], [1]])
    mask = sequences.mask
    found = Opinions(sequences, HALF * mask, 0 * mask, 0 * mask, None)
    ready = Material(found, mask, mask * torch.tensor([[1.0], [-1.0]]), mask, {})
    figures = Update(Tabled(config, policy), falling(critic), config)(ready, 1, "seed")
    close(figures["loss"], -1.4 / 4)
    close(policy.moved([[Z] * 3] * 2), [[0.0, -0.375 / 4, 0.0], [-0.375 / 4, 0.0, 0.0]])
    close(figures["value_loss"], 0.5)
    close(critic.moved([[0.0] * 3] * 2), [[0.25, 0.25, 0.25], [0.25, 0.0, 0.0]])
