"""GRPO's update where an episode, not an action, is what is judged."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from random import Random
from typing import Any

from mlxlab.plugins.training.episodic.config import EpisodicConfig
from mlxlab.plugins.training.learning import Learner
from mlxlab.plugins.training.losses import kl_estimates, policy_losses, token_logprobs
from mlxlab.plugins.training.sequences import Sequences

Tensor = Any


@dataclass(frozen=True)
class Played:
    """A step's episodes as tensors.

    Args:
        sequences: R actions of all episodes.
        rows: of each episode that has an advantage, its actions.
        advantages: (R,), the same for all actions of an episode.
        logprobs: (R, T), of the policy that played.
        before: (R, T), of the policy that training began with; None where it is not asked.
    """

    sequences: Sequences
    rows: Sequence[Sequence[int]]
    advantages: Tensor
    logprobs: Tensor
    before: Tensor | None


class Update:
    """Changes the policy by one step's episodes.

    An episode's loss is the mean over all tokens of all its actions, and the loss of a minibatch
    the mean over its episodes: GRPO's rule (Shao et al., 2024) with an episode as the output.
    """

    def __init__(self, learner: Learner, config: EpisodicConfig) -> None:
        self._learner = learner
        self._config = config
        self._sums: dict[str, float] = defaultdict(float)

    def __call__(self, played: Played, seed: str) -> dict[str, float]:
        """Take all optimizer steps; returns their mean figures."""
        self._sums.clear()
        steps = 0
        for epoch in range(self._config.epochs):
            order = list(played.rows)
            Random(f"{seed}:{epoch}").shuffle(order)
            parts = min(self._config.minibatches, len(order))
            bounds = [round(number * len(order) / max(1, parts)) for number in range(parts + 1)]
            for begin, end in pairwise(bounds):
                self._minibatch(played, order[begin:end])
                steps += 1
        return {name: value / max(1, steps) for name, value in self._sums.items()}

    def _minibatch(self, played: Played, episodes: Sequence[Sequence[int]]) -> None:
        import torch

        learner, mask = self._learner, played.sequences.mask
        weights = torch.zeros_like(mask)
        for rows in episodes:
            some = list(rows)
            weights[some] = mask[some] / (mask[some].sum() * len(episodes))
        rows = [row for each in episodes for row in each]
        portions = list(learner.micro_batches(played.sequences, rows))
        for number, portion in enumerate(portions):
            with learner.syncing(number == len(portions) - 1, learner.policy.net):
                learner.accelerator.backward(self._loss(played, portion, weights))
        self._sums["grad_norm"] += learner.step(learner.policy)

    def _loss(self, played: Played, rows: list[int], weights: Tensor) -> Tensor:
        config = self._config
        part = played.sequences.rows(rows)
        there = slice(0, part.ids.shape[1])
        old, weight = played.logprobs[rows, there], weights[rows, there]
        logprobs = token_logprobs(self._learner.forward(part), part.ids, config.temperature)
        high = config.epsilon if config.epsilon_high is None else config.epsilon_high
        advantages = played.advantages[rows].unsqueeze(-1)
        losses, clipped = policy_losses(logprobs, old, advantages, config.epsilon, high)
        self._sums["clip_fraction"] += float((clipped * weight).sum())
        if played.before is not None and config.beta > 0:
            kl = kl_estimates(logprobs, played.before[rows, there], "k3")
            losses = losses + config.beta * kl
        loss = (losses * weight).sum()
        self._sums["loss"] += float(loss.detach())
        return loss
