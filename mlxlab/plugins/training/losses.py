"""The arithmetic of policy gradients on tokens, in small functions.

Shapes: R rows (completions) of T tokens, padded on the right; a mask is 1.0 at a token that the
model drew and 0.0 at padding. What stands at padding never changes a result at a token.
"""

from __future__ import annotations

from typing import Any, Literal

Tensor = Any
Estimator = Literal["k1", "k2", "k3"]


def token_logprobs(logits: Tensor, ids: Tensor, temperature: float = 1.0) -> Tensor:
    """Natural logarithms of the probabilities of drawn tokens.

    Args:
        logits: (R, T, V), those that each token was drawn from.
        ids: (R, T).
        temperature: that they were drawn at.

    Returns:
        (R, T).
    """
    scaled = logits.float() / temperature
    return scaled.gather(-1, ids.unsqueeze(-1)).squeeze(-1) - scaled.logsumexp(-1)


def entropies(logits: Tensor, temperature: float = 1.0) -> Tensor:
    """The entropy of each token's distribution in nats: (R, T, V) to (R, T)."""
    logprobs = (logits.float() / temperature).log_softmax(-1)
    return -(logprobs.exp() * logprobs).sum(-1)


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """The mean over the tokens, all rows together: (R, T) to a number; 0 without tokens."""
    return (values * mask).sum() / mask.sum().clamp(min=1)


def mean_of_rows(values: Tensor, mask: Tensor) -> Tensor:
    """The mean over rows of each row's mean over its tokens: (R, T) to a number."""
    each = (values * mask).sum(-1) / mask.sum(-1).clamp(min=1)
    return masked_mean(each, (mask.sum(-1) > 0).to(each.dtype))


def whitened(values: Tensor, mask: Tensor, floor: float = 1e-8) -> Tensor:
    """Values moved and scaled to mean 0 and variance 1 over the tokens; 0 at padding.

    The variance is the unbiased one; `floor` is added to it, so that equal values become 0.
    """
    mean = masked_mean(values, mask)
    squares = ((values - mean) ** 2 * mask).sum()
    variance = squares / (mask.sum() - 1).clamp(min=1)
    return (values - mean) * (variance + floor).rsqrt() * mask


def kl_estimates(logprobs: Tensor, reference: Tensor, estimator: Estimator) -> Tensor:
    """Estimates of KL(policy, reference) at drawn tokens, after Schulman (2020): (R, T).

    With d = logprobs - reference: k1 is d, unbiased and of any sign; k2 is d^2 / 2, biased, with
    the right gradient; k3 is exp(-d) - 1 + d, unbiased and never negative.
    """
    difference = logprobs - reference
    if estimator == "k1":
        return difference
    if estimator == "k2":
        return difference**2 / 2
    return (-difference).exp() - 1 + difference


def token_rewards(rewards: Tensor, kl: Tensor | None, mask: Tensor, coefficient: float) -> Tensor:
    """A reward for each token: the action's at its last token, minus KL at every one.

    Args:
        rewards: (R,).
        kl: (R, T); None: no penalty.
        mask: (R, T), tokens without gaps.
        coefficient: of the penalty.

    Returns:
        (R, T).
    """
    placed = mask * 0.0
    last = (mask.sum(-1).long() - 1).clamp(min=0)
    placed.scatter_(-1, last.unsqueeze(-1), rewards.unsqueeze(-1).to(placed.dtype))
    placed = placed * mask
    return placed if kl is None else placed - coefficient * kl * mask


def gae(
    rewards: Tensor, values: Tensor, mask: Tensor, gamma: float, lam: float
) -> tuple[Tensor, Tensor]:
    """Generalised advantage estimation (Schulman et al., 2016), backwards over the tokens.

    delta_t = r_t + gamma V_{t+1} - V_t and A_t = delta_t + gamma lam A_{t+1}, where V and A are 0
    after a row's last token: an action ends there, for the length limit too.

    Args:
        rewards: (R, T).
        values: (R, T), the critic's value before each token.
        mask: (R, T), tokens without gaps.
        gamma: what a later reward counts, a token.
        lam: what a later delta counts: 1 is the whole return, 0 the next value alone.

    Returns:
        Advantages and returns A + V, both (R, T) and 0 at padding.
    """
    import torch

    advantages = torch.zeros_like(values)
    after = torch.zeros_like(values[:, 0])
    value = torch.zeros_like(after)
    for place in reversed(range(values.shape[1])):
        here = mask[:, place]
        delta = rewards[:, place] + gamma * value - values[:, place]
        after = (delta + gamma * lam * after) * here
        value = values[:, place] * here
        advantages[:, place] = after
    return advantages, (advantages + values) * mask


def policy_losses(
    logprobs: Tensor, old: Tensor, advantages: Tensor, low: float, high: float
) -> tuple[Tensor, Tensor]:
    """PPO's clipped surrogate at each token, negated, and where the clip took hold.

    With the ratio r = exp(logprobs - old): max(-r A, -clip(r, 1 - low, 1 + high) A), which is
    equation 5 of ML-Agent (arXiv 2505.23723) to be minimised.

    Args:
        logprobs: (R, T), of the policy that is updated.
        old: (R, T), of the policy that drew the tokens.
        advantages: (R, T), or (R, 1) where a row's tokens share one.
        low: how far below 1 a ratio may count.
        high: how far above.

    Returns:
        Losses (R, T), and 1.0 where the clipped branch is the larger one.
    """
    import torch

    ratio = (logprobs - old).exp()
    free, clipped = -ratio * advantages, -ratio.clamp(1 - low, 1 + high) * advantages
    return torch.maximum(free, clipped), (clipped > free).float()


def value_losses(values: Tensor, old: Tensor, returns: Tensor, clip: float | None) -> Tensor:
    """Half the squared error of the critic at each token: (R, T).

    With `clip`, the larger of it and of the error of a value that moves by at most `clip` away from
    the one before the update; None: no clip.
    """
    import torch

    free = (values - returns) ** 2
    if clip is None:
        return free / 2
    held = (old + (values - old).clamp(-clip, clip) - returns) ** 2
    return torch.maximum(free, held) / 2


def explained_variance(values: Tensor, returns: Tensor, mask: Tensor) -> float:
    """1 - Var(returns - values) / Var(returns) over the tokens; 0 where returns do not differ."""
    there = mask > 0
    wanted, left = returns[there], (returns - values)[there]
    if wanted.numel() < 2 or float(wanted.var()) <= 1e-12:
        return 0.0
    return float(1 - left.var() / wanted.var())


def group_advantages(rewards: Tensor, known: Tensor, scale: bool, floor: float = 1e-4) -> Tensor:
    """Advantages relative to a group's mean (Shao et al., 2024): (G, N) to (G, N).

    Args:
        rewards: of N samples in each of G groups.
        known: (G, N), 0.0 at a sample without a reward: it counts nowhere and gets 0.
        scale: whether to divide by the group's standard deviation.
        floor: is added to it.
    """
    count = known.sum(-1, keepdim=True)
    mean = (rewards * known).sum(-1, keepdim=True) / count.clamp(min=1)
    away = (rewards - mean) * known
    if not scale:
        return away
    variance = (away**2).sum(-1, keepdim=True) / (count - 1).clamp(min=1)
    return away / (variance.sqrt() + floor)
