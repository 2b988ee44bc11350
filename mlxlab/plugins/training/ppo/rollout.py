"""What one step of PPO learns from: actions, what they earned, what the models say of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mlxlab.plugins.training.learning import Learner, Optimized
from mlxlab.plugins.training.losses import (
    explained_variance,
    gae,
    kl_estimates,
    masked_mean,
    token_rewards,
    whitened,
)
from mlxlab.plugins.training.ppo.config import PPOConfig
from mlxlab.plugins.training.ppo.critic import values_now
from mlxlab.plugins.training.sequences import Sequences

Tensor = Any


@dataclass(frozen=True)
class Opinions:
    """What policy, start policy and critic say of sampled tokens before the update: (R, T) each.

    Args:
        before: logarithms of probability of the policy that training began with; None where it is
            not asked.
    """

    sequences: Sequences
    logprobs: Tensor
    entropy: Tensor
    values: Tensor
    before: Tensor | None


@dataclass(frozen=True)
class Material:
    """What an update is made of: (R, T) each.

    Args:
        mask: 1.0 at tokens of actions that have a reward.
        kl: estimates that the loss adds; None where it adds none.
    """

    opinions: Opinions
    mask: Tensor
    advantages: Tensor
    returns: Tensor
    figures: dict[str, float]


def opinions(
    learner: Learner, critic: Optimized, config: PPOConfig, sequences: Sequences
) -> Opinions:
    """Ask all models; outcomes of the actions are not needed for it."""
    logprobs, entropy = learner.now(sequences)
    return Opinions(
        sequences=sequences,
        logprobs=logprobs,
        entropy=entropy,
        values=values_now(critic.net, learner, sequences),
        before=learner.before(sequences) if config.beta > 0 else None,
    )


def material(
    found: Opinions, rewards: list[float | None], config: PPOConfig, measured: float | None
) -> Material:
    """Advantages and returns.

    An action without a reward is left out altogether.

    Args:
        found: what the models say.
        rewards: R of them.
        config: the options.
        measured: the KL against the start policy, where it was measured on some rows only.
    """
    import torch

    device = found.logprobs.device
    known = torch.tensor([float(value is not None) for value in rewards], device=device)
    earned = torch.tensor([value or 0.0 for value in rewards], device=device)
    mask = found.sequences.mask * known.unsqueeze(-1)
    kl = None
    if found.before is not None and config.kl_place == "reward":
        kl = kl_estimates(found.logprobs, found.before, config.estimator)
    each = token_rewards(earned, kl, mask, config.beta)
    advantages, returns = gae(each, found.values, mask, config.gamma, config.lam)
    figures = _figures(found, mask, advantages, returns, measured)
    if config.whiten:
        advantages = whitened(advantages, mask)
    return Material(found, mask, advantages, returns, figures)


def _figures(
    found: Opinions, mask: Tensor, advantages: Tensor, returns: Tensor, measured: float | None
) -> dict[str, float]:
    figures = {
        "entropy": float(masked_mean(found.entropy, found.sequences.mask)),
        "returns": float(masked_mean(returns, mask)),
        "values": float(masked_mean(found.values, mask)),
        "value_explained_variance": explained_variance(found.values, returns, mask),
        "tokens": float(found.sequences.mask.sum(-1).mean()),
    }
    if found.before is not None:
        kl = kl_estimates(found.logprobs, found.before, "k3")
        figures["kl"] = float(masked_mean(kl, found.sequences.mask))
    elif measured is not None:
        figures["kl"] = measured
    return figures
