"""How far the policy has gone from the one that training began with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mlxlab.plugins.training.losses import kl_estimates, masked_mean


class Drift:
    """KL(policy, start) in nats a token, by the estimator k3 on sampled tokens of the policy.

    TRL measures it only where it is a part of the loss. It is cheap on some of a step's actions:
    two forward passes over `rows` of them. The start's weights are a copy of those that are
    trained, put in place for one forward pass.

    Args:
        model: before its first optimizer step.
        rows: so many actions of a step, at most.
        calls: of `measure` for the actions of one draw; each draw measures in another one.
    """

    def __init__(self, model: Any, rows: int, calls: int) -> None:
        self._model = model
        self._rows = rows
        self._calls = calls
        self._start = {
            name: weight.detach().clone()
            for name, weight in model.named_parameters()
            if weight.requires_grad
        }
        self._called = 0
        self.kl: float | None = None

    def measure(self, trainer: Any, batch: dict[str, Any]) -> None:
        """Measure on the actions that were asked for, where it is this call's turn."""
        import torch

        turn, place = divmod(self._called, self._calls)
        self._called += 1
        if turn % self._calls != place:
            return
        part = {name: batch[name][: self._rows] for name in _NAMES}
        ids = torch.cat([part["prompt_ids"], part["completion_ids"]], dim=1)
        mask = torch.cat([part["prompt_mask"], part["completion_mask"]], dim=1)
        width = part["completion_ids"].shape[1]
        with torch.no_grad():
            now = trainer._get_per_token_logps_and_entropies(trainer.model, ids, mask, width)[0]
            with self._begun():
                then = trainer._get_per_token_logps_and_entropies(trainer.model, ids, mask, width)[
                    0
                ]
            estimates = kl_estimates(now, then, "k3")
            self.kl = float(masked_mean(estimates, part["completion_mask"]))

    @contextmanager
    def _begun(self) -> Iterator[None]:
        """With the start's weights in place; the optimizer's tensors stay the same objects."""
        trained = {
            name: weight for name, weight in self._model.named_parameters() if name in self._start
        }
        now = {name: weight.data for name, weight in trained.items()}
        try:
            for name, weight in trained.items():
                weight.data = self._start[name]
            yield
        finally:
            for name, weight in trained.items():
                weight.data = now[name]


_NAMES = ("prompt_ids", "prompt_mask", "completion_ids", "completion_mask")
