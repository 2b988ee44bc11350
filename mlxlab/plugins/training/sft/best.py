"""The checkpoint that is the result: the one that does best on tasks set apart."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mlxlab.plugins.training.checkpoints import Checkpoints
from mlxlab.plugins.training.models import Loaded
from mlxlab.plugins.training.sft.rows import Row


class Best:
    """The weights with the smallest validation loss, kept on disk.

    Args:
        folder: where they are kept.
        loaded: the model in training.
        rows: prompts whose answers are checked at each validation; none: no check.
        seed: of the answers that are drawn.
        keep: whether this process keeps weights: the first of those that train together.
    """

    def __init__(
        self, folder: Path, loaded: Loaded, rows: Sequence[Row], seed: int, keep: bool = True
    ) -> None:
        self._kept = Checkpoints(folder, keep=1)
        self._loaded = loaded
        self._rows = rows
        self._seed = seed
        self._keep = keep
        self._loss = float("inf")

    def go_on(self, step: int) -> None:
        """Forget what comes after the step that a training goes on from."""
        newest = self._kept.newest()
        if newest is not None and newest.step > step:
            self._kept.clear()
        elif newest is not None:
            self._loss = newest.counters["eval_loss"]

    def validated(self, step: int, loss: float) -> dict[str, float]:
        """Keep the weights where their loss is the smallest so far; returns further figures."""
        from mlxlab.plugins.training.sft.checking import valid_text

        if loss < self._loss:
            self._loss = loss
            if self._keep:
                modules = {"model": self._loaded.model}
                self._kept.save(step, modules=modules, counters={"eval_loss": loss})
        if not self._rows:
            return {}
        return {"valid_text": valid_text(self._loaded, self._rows, self._seed)}

    def take(self) -> str:
        """Put the best weights into the model; returns a sentence for the card."""
        newest = self._kept.newest()
        if newest is None:
            return "The weights are those of the last step."
        newest.load({"model": self._loaded.model})
        return (
            f"The weights are those of step {newest.step}, whose loss on the tasks that were set "
            f"apart was the smallest: {newest.counters['eval_loss']:.4g}."
        )
