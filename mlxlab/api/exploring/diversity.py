"""Choosing ideas that differ, by the distances of their vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray


def distances(vectors: NDArray[Any]) -> NDArray[Any]:
    """Cosine distances of all pairs, in [0, 2]; a vector without length is 1 from every other."""
    import numpy as np

    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = np.divide(vectors, lengths, out=np.zeros_like(vectors, dtype=float), where=lengths > 0)
    found = np.clip(1.0 - unit @ unit.T, 0.0, 2.0)
    np.fill_diagonal(found, 0.0)
    return np.asarray(found)


def mean_distance(between: NDArray[Any]) -> float | None:
    """The mean over all pairs of different ideas; None with fewer than two."""
    count = len(between)
    return float(between.sum() / (count * (count - 1))) if count > 1 else None


def farthest_on_average(between: NDArray[Any], keep: int) -> list[int]:
    """The `keep` ideas with the largest mean distance to all others, the largest first (v1)."""
    means = between.sum(axis=1)
    return sorted(range(len(between)), key=lambda place: (-means[place], place))[:keep]


def farthest_points(between: NDArray[Any], keep: int) -> list[int]:
    """Farthest-point sampling of `keep` ideas, in the order of choice (v2).

    Each next one is the farthest from the nearest that was chosen. The paper leaves the first one
    open: here it is the one with the largest mean distance, so that no draw decides.
    """
    import numpy as np

    chosen = farthest_on_average(between, min(keep, 1))
    while len(chosen) < min(keep, len(between)):
        nearest = between[:, chosen].min(axis=1)
        nearest[chosen] = -1.0
        chosen.append(int(np.argmax(nearest)))
    return chosen
