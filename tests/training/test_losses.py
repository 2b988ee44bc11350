"""The arithmetic of policy gradients, against numbers worked out by hand."""

from __future__ import annotations

import pytest
import torch

from mlxlab.plugins.training import losses

# One completion of three tokens in a row that is padded to four, and one of a single token; what
# stands at padding is absurd on purpose.
MASK = torch.tensor([[1.0, 1.0, 1.0, 0.0], [1.0, 0.0, 0.0, 0.0]])
BAD = 1e6


def close(found: torch.Tensor, wanted: object) -> None:
    torch.testing.assert_close(found, torch.tensor(wanted), rtol=0, atol=1e-4)


def test_logarithms_of_probability_at_a_temperature() -> None:
    # Logits (0, ln 3) are probabilities 1/4 and 3/4; at temperature 2 they are (0, ln 3 / 2), which
    # is 1 to sqrt 3 = 1.73205: 0.36603 and 0.63397.
    logits = torch.tensor([[[0.0, 1.0986123], [0.0, 1.0986123]]])
    ids = torch.tensor([[0, 1]])
    close(losses.token_logprobs(logits, ids).exp(), [[0.25, 0.75]])
    close(losses.token_logprobs(logits, ids, 2.0).exp(), [[0.36603, 0.63397]])
    # -(1/4 ln 1/4 + 3/4 ln 3/4) = 0.34657 + 0.21576
    close(losses.entropies(logits)[:, 0], [0.56234])


def test_means_over_tokens_and_over_rows() -> None:
    values = torch.tensor([[1.0, 2.0, 6.0, BAD], [5.0, BAD, BAD, BAD]])
    # (1 + 2 + 6 + 5) / 4 tokens; the mean of (9 / 3, 5 / 1) rows.
    close(losses.masked_mean(values, MASK), 3.5)
    close(losses.mean_of_rows(values, MASK), 4.0)


def test_whitening_sees_tokens_alone() -> None:
    # 1, 2, 6, 5: mean 3.5, squares 6.25 + 2.25 + 6.25 + 2.25 = 17, variance 17 / 3 = 5.66667,
    # deviation 2.38048: -1.05021, -0.63012, 1.05021, 0.63012.
    values = torch.tensor([[1.0, 2.0, 6.0, BAD], [5.0, BAD, BAD, BAD]])
    found = losses.whitened(values, MASK)
    close(found, [[-1.05021, -0.63012, 1.05021, 0.0], [0.63012, 0.0, 0.0, 0.0]])
    close(losses.whitened(torch.full((2, 4), 3.0), MASK), [[0.0] * 4] * 2)


def test_the_reward_stands_at_the_last_token_and_kl_at_each() -> None:
    rewards = torch.tensor([1.0, 0.5])
    kl = torch.tensor([[0.2, -0.1, 0.4, BAD], [0.3, BAD, BAD, BAD]])
    close(losses.token_rewards(rewards, None, MASK, 0.1), [[0, 0, 1.0, 0], [0.5, 0, 0, 0]])
    # -0.1 * 0.2, -0.1 * -0.1, 1 - 0.1 * 0.4; 0.5 - 0.1 * 0.3
    found = losses.token_rewards(rewards, kl, MASK, 0.1)
    close(found, [[-0.02, 0.01, 0.96, 0.0], [0.47, 0.0, 0.0, 0.0]])
    none = losses.token_rewards(rewards, kl, MASK * torch.tensor([[1.0], [0.0]]), 0.1)
    close(none[1], [0.0, 0.0, 0.0, 0.0])


def test_advantages_backwards_over_three_tokens() -> None:
    rewards = torch.tensor([[0.0, 0.0, 1.0, BAD], [0.5, BAD, BAD, BAD]])
    values = torch.tensor([[0.5, 0.4, 0.2, BAD], [0.1, BAD, BAD, BAD]])
    # gamma = lambda = 1: an advantage is what is still to come minus the value: 1 - 0.5, 1 - 0.4,
    # 1 - 0.2; 0.5 - 0.1. Returns are what is still to come.
    advantages, returns = losses.gae(rewards, values, MASK, 1.0, 1.0)
    close(advantages, [[0.5, 0.6, 0.8, 0.0], [0.4, 0.0, 0.0, 0.0]])
    close(returns, [[1.0, 1.0, 1.0, 0.0], [0.5, 0.0, 0.0, 0.0]])
    # gamma 0.9, lambda 0.5: deltas 0.9 * 0.4 - 0.5 = -0.14, 0.9 * 0.2 - 0.4 = -0.22, 1 - 0.2 = 0.8;
    # backwards 0.8, -0.22 + 0.45 * 0.8 = 0.14, -0.14 + 0.45 * 0.14 = -0.077.
    advantages, returns = losses.gae(rewards, values, MASK, 0.9, 0.5)
    close(advantages[0], [-0.077, 0.14, 0.8, 0.0])
    close(returns[0], [0.423, 0.54, 1.0, 0.0])


def test_the_clipped_surrogate_on_three_tokens() -> None:
    # Ratios 1.5, 0.5 and 1.1 with advantages 1, -1 and 2, clipped to 0.8 .. 1.2:
    #   max(-1.5, -1.2) = -1.2, the clip takes hold
    #   max(0.5, 0.8) = 0.8, it takes hold
    #   max(-2.2, -2.2) = -2.2, it does not
    ratios = torch.tensor([[1.5, 0.5, 1.1]])
    old = torch.tensor([[-1.0, -2.0, -0.5]])
    advantages = torch.tensor([[1.0, -1.0, 2.0]])
    found, clipped = losses.policy_losses(old + ratios.log(), old, advantages, 0.2, 0.2)
    close(found, [[-1.2, 0.8, -2.2]])
    close(clipped, [[1.0, 1.0, 0.0]])
    # Asymmetric, and one advantage for the row: 1.5 is held at 1.3; the others are within.
    found, clipped = losses.policy_losses(old + ratios.log(), old, torch.tensor([[1.0]]), 0.5, 0.3)
    close(found, [[-1.3, -0.5, -1.1]])
    close(clipped, [[1.0, 0.0, 0.0]])


def test_no_gradient_flows_through_a_clipped_token() -> None:
    old = torch.tensor([[-1.0, -2.0, -0.5]])
    now = (old + torch.tensor([[1.5, 0.5, 1.1]]).log()).requires_grad_()
    advantages = torch.tensor([[1.0, -1.0, 2.0]])
    found, _ = losses.policy_losses(now, old, advantages, 0.2, 0.2)
    found.sum().backward()
    # Only the third is free; the gradient of -r A by the logarithm is -r A = -2.2.
    assert now.grad is not None
    close(now.grad, [[0.0, 0.0, -2.2]])


def test_the_critics_loss_with_and_without_a_clip() -> None:
    values = torch.tensor([[1.0, 0.0, 0.3]])
    old = torch.tensor([[0.0, 0.0, 0.2]])
    returns = torch.tensor([[1.0, 1.0, 0.5]])
    # Half the squares: 0, 0.5, 0.02.
    close(losses.value_losses(values, old, returns, None), [[0.0, 0.5, 0.02]])
    # Held within 0.5 of the old one, the first is 0.5: max(0, 0.25) / 2.
    close(losses.value_losses(values, old, returns, 0.5), [[0.125, 0.5, 0.02]])


def test_estimates_of_kl() -> None:
    # d = 0.5, 0, -0.2: k1 is d; k2 is d^2 / 2; k3 is exp(-d) - 1 + d.
    logprobs, reference = torch.tensor([[-0.5, -1.0, -1.2]]), torch.tensor([[-1.0, -1.0, -1.0]])
    close(losses.kl_estimates(logprobs, reference, "k1"), [[0.5, 0.0, -0.2]])
    close(losses.kl_estimates(logprobs, reference, "k2"), [[0.125, 0.0, 0.02]])
    close(losses.kl_estimates(logprobs, reference, "k3"), [[0.10653, 0.0, 0.02140]])


@pytest.mark.parametrize(("estimator", "bias"), [("k1", 0.0), ("k3", 0.0)])
def test_estimates_are_right_in_the_mean(estimator: losses.Estimator, bias: float) -> None:
    policy, reference = torch.tensor([0.7, 0.2, 0.1]), torch.tensor([0.3, 0.3, 0.4])
    found = losses.kl_estimates(policy.log(), reference.log(), estimator)
    true = (policy * (policy / reference).log()).sum()
    close((policy * found).sum() - true, bias)


def test_explained_variance() -> None:
    returns = torch.tensor([[1.0, 2.0, 3.0, BAD], [4.0, BAD, BAD, BAD]])
    assert losses.explained_variance(returns, returns, MASK) == 1.0
    assert losses.explained_variance(returns * 0, returns, MASK) == 0.0
    # Half of each return: what is left is half as wide, a quarter of the variance.
    assert losses.explained_variance(returns / 2, returns, MASK) == pytest.approx(0.75)
    assert losses.explained_variance(returns, returns * 0 + 1, MASK) == 0.0


def test_advantages_within_groups() -> None:
    # Group one: 1, 0, 0.5 with mean 0.5 and deviation 0.5; group two has one known reward, group
    # three two equal ones.
    rewards = torch.tensor([[1.0, 0.0, 0.5], [0.7, BAD, BAD], [0.2, 0.2, BAD]])
    known = torch.tensor([[1.0, 1.0, 1.0], [1.0, 0.0, 0.0], [1.0, 1.0, 0.0]])
    zero = [0.0, 0.0, 0.0]
    close(losses.group_advantages(rewards, known, False), [[0.5, -0.5, 0.0], zero, zero])
    found = losses.group_advantages(rewards, known, True, 1e-6)
    close(found, [[1.0, -1.0, 0.0], zero, zero])
