"""Nets that are tables of numbers: what an update does to them can be worked out by hand."""

from __future__ import annotations

from collections.abc import Sequence
from math import log
from types import SimpleNamespace
from typing import Any

import torch
from accelerate import Accelerator

from mlxlab.core.records import Completion
from mlxlab.plugins.training.learning import Learner, Learning, Optimized
from mlxlab.plugins.training.sequences import Sequences

Z = log(3)
"""Of logits (0, Z): the token 1 has probability 3/4, the token 0 has 1/4."""


class Table(torch.nn.Module):  # type: ignore[misc]
    """A number for each row and token. A row's prompt is one token: the number of the row.

    Args:
        numbers: (rows, tokens).
        policy: whether the numbers are logits of the token 1, that of the token 0 being 0; else
            they are values.
    """

    def __init__(self, numbers: Sequence[Sequence[float]], *, policy: bool) -> None:
        super().__init__()
        after = [[*row, 0.0] for row in numbers]  # what is said after a row's last token
        self.numbers = torch.nn.Parameter(torch.tensor(after))
        self._policy = policy

    def forward(self, input_ids: Any, attention_mask: Any) -> Any:
        said = self.numbers[input_ids[:, 0], : input_ids.shape[1]].unsqueeze(-1)
        logits = torch.cat([torch.zeros_like(said), said], -1) if self._policy else said
        return SimpleNamespace(logits=logits)

    def moved(self, begun: Sequence[Sequence[float]]) -> list[list[float]]:
        """How far each number has gone from where it began."""
        now = self.numbers.detach()[:, :-1]
        moved: list[list[float]] = (now - torch.tensor(begun)).tolist()
        return moved


def falling(net: Table) -> Optimized:
    """A step of it takes the gradient away, once."""
    return Optimized(net, torch.optim.SGD(net.parameters(), lr=1.0))


class Tabled(Learner):
    """A learner whose policy is a table."""

    def __init__(self, config: Learning, net: Table) -> None:
        self.config = config
        self.accelerator = Accelerator()
        self.vocabulary = 2
        self.policy = falling(net)


def drawn(tokens: Sequence[Sequence[int]]) -> Sequences:
    """A completion for each row."""
    completions = [
        Completion(text="", prompt_token_ids=(row,), token_ids=tuple(ids))
        for row, ids in enumerate(tokens)
    ]
    return Sequences.of(completions, 0, "cpu")
