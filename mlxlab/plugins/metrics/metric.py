"""The one class behind the built-in metrics: facts, and a function over aligned arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlxlab.core.task import MetricInfo

if TYPE_CHECKING:
    from numpy.typing import NDArray

Score = Callable[["NDArray[Any]", "NDArray[Any]"], float]


@dataclass(frozen=True)
class FunctionMetric:
    """A metric made of its facts and a function of (truth, predicted), each (rows, columns).

    The score of several columns is the mean over columns unless the function says otherwise.
    """

    info: MetricInfo
    numeric: bool
    function: Score

    def score(self, truth: object, predicted: object) -> float:
        """Score aligned arrays of shape (rows,) or (rows, columns); nan where undefined.

        Raises:
            ValueError: a prediction lies outside what the metric is defined on; the message
                says what the values must be and nothing of the truth.
        """
        import numpy as np

        wanted, given = _columns(np.asarray(truth)), _columns(np.asarray(predicted))
        if wanted.shape != given.shape:
            raise ValueError(f"expected predictions of shape {wanted.shape}, got {given.shape}")
        if self.numeric:
            wanted, given = wanted.astype(float), given.astype(float)
        with np.errstate(over="ignore", invalid="ignore"):
            return float(self.function(wanted, given))


def by_column(function: Callable[[NDArray[Any], NDArray[Any]], float]) -> Score:
    """Turn a function of two vectors into the mean of its values over columns."""

    def score(truth: NDArray[Any], predicted: NDArray[Any]) -> float:
        values = [function(truth[:, i], predicted[:, i]) for i in range(truth.shape[1])]
        return sum(values) / len(values)

    return score


def _columns(values: NDArray[Any]) -> NDArray[Any]:
    return values[:, None] if values.ndim == 1 else values
