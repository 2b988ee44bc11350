"""How often a training is saved: at each optimizer step, while its checkpoints are small."""

from __future__ import annotations

_LARGE = 1e9
_BYTES = 12
"""Of a trained weight in a checkpoint: itself and two moments of AdamW, in float32."""
_SELDOM = 10


def small(trained: int) -> bool:
    """Whether a checkpoint of so many trained weights is smaller than 1 GB."""
    return trained * _BYTES < _LARGE


def steps_between(wanted: int | None, trained: int) -> int:
    """Optimizer steps between two checkpoints: a kill loses what came after the last one.

    Args:
        wanted: what the user says; None: 1, or 10 where a checkpoint is larger than 1 GB.
        trained: weights that are trained, of all nets together.
    """
    return wanted or (1 if small(trained) else _SELDOM)
