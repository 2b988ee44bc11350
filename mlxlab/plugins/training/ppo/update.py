"""PPO's update: epochs of minibatches over one step's actions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise
from random import Random
from typing import Any

from mlxlab.plugins.training.learning import Learner, Optimized
from mlxlab.plugins.training.losses import (
    entropies,
    kl_estimates,
    policy_losses,
    token_logprobs,
    value_losses,
)
from mlxlab.plugins.training.ppo.config import PPOConfig
from mlxlab.plugins.training.ppo.critic import values_of
from mlxlab.plugins.training.ppo.rollout import Material

Tensor = Any


class Update:
    """Changes policy and critic by one step's material.

    The loss of a minibatch is the mean over its tokens, as in verl, whatever portions they are
    computed in.
    """

    def __init__(self, learner: Learner, critic: Optimized, config: PPOConfig) -> None:
        self._learner = learner
        self._critic = critic
        self._config = config
        self._sums: dict[str, float] = defaultdict(float)

    def __call__(self, material: Material, group: int, seed: str) -> dict[str, float]:
        """Take all optimizer steps; returns their mean figures."""
        self._sums.clear()
        steps = 0
        rows = len(material.opinions.sequences)
        for epoch in range(self._config.epochs):
            for some in minibatches(rows, group, self._config.minibatches, f"{seed}:{epoch}"):
                steps += self._minibatch(material, some)
        return {name: value / max(1, steps) for name, value in self._sums.items()}

    def _minibatch(self, material: Material, rows: Sequence[int]) -> int:
        """One optimizer step of both; returns 0 where no token of it has a reward."""
        learner = self._learner
        tokens = float(material.mask[list(rows)].sum())
        if tokens == 0:
            return 0
        portions = list(learner.micro_batches(material.opinions.sequences, rows))
        for number, portion in enumerate(portions):
            last = number == len(portions) - 1
            with learner.syncing(last, learner.policy.net):
                learner.accelerator.backward(self._policy_loss(material, portion, tokens))
            with learner.syncing(last, self._critic.net):
                learner.accelerator.backward(self._value_loss(material, portion, tokens))
        self._sums["grad_norm"] += learner.step(learner.policy)
        self._sums["critic_grad_norm"] += learner.step(self._critic)
        return 1

    def _policy_loss(self, material: Material, rows: list[int], tokens: float) -> Tensor:
        config, opinions = self._config, material.opinions
        part = opinions.sequences.rows(rows)
        there = slice(0, part.ids.shape[1])
        mask, old = material.mask[rows, there], opinions.logprobs[rows, there]
        logits = self._learner.forward(part)
        logprobs = token_logprobs(logits, part.ids, config.temperature)
        high = config.epsilon if config.epsilon_high is None else config.epsilon_high
        advantages = material.advantages[rows, there]
        losses, clipped = policy_losses(logprobs, old, advantages, config.epsilon, high)
        self._count("clip_fraction", clipped, mask, tokens)
        self._count("step_kl", kl_estimates(old, logprobs.detach(), "k3"), mask, tokens)
        if opinions.before is not None and config.kl_place == "loss":
            before = opinions.before[rows, there]
            losses = losses + config.beta * kl_estimates(logprobs, before, config.estimator)
        if config.entropy_bonus > 0:
            losses = losses - config.entropy_bonus * entropies(logits, config.temperature)
        return self._count("loss", losses, mask, tokens)

    def _value_loss(self, material: Material, rows: list[int], tokens: float) -> Tensor:
        part = material.opinions.sequences.rows(rows)
        there = slice(0, part.ids.shape[1])
        values = values_of(self._critic.net, part, self._learner.share)
        losses = value_losses(
            values,
            material.opinions.values[rows, there],
            material.returns[rows, there],
            self._config.value_clip,
        )
        loss = self._count("value_loss", losses, material.mask[rows, there], tokens)
        return self._config.value_weight * loss

    def _count(self, name: str, values: Tensor, mask: Tensor, tokens: float) -> Tensor:
        """A portion's part of the minibatch's mean, added up under a name."""
        part = (values * mask).sum() / tokens
        self._sums[name] += float(part.detach())
        return part


def minibatches(rows: int, group: int, count: int, seed: str) -> Iterator[list[int]]:
    """All rows in a random order, in nearly equal parts.

    Actions of one state stay together, as far as parts are not smaller than that, since they share
    the reading of their prompt.
    """
    groups = [list(range(begin, min(rows, begin + group))) for begin in range(0, rows, group)]
    Random(seed).shuffle(groups)
    order = [row for each in groups for row in each]
    parts = min(count, rows)
    bounds = [round(number * rows / parts) for number in range(parts + 1)]
    for begin, end in pairwise(bounds):
        yield order[begin:end]
