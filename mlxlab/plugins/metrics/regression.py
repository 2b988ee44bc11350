"""Metrics of numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlxlab.core.records import Direction
from mlxlab.core.task import MetricInfo
from mlxlab.plugins.metrics.metric import FunctionMetric, Score, by_column

if TYPE_CHECKING:
    from numpy.typing import NDArray


def rmse() -> FunctionMetric:
    """Root of the mean squared error, in the target's unit; mean over columns."""
    return _metric("rmse", "Root of the mean squared error.", by_column(_rmse))


def mae() -> FunctionMetric:
    """Mean absolute error, in the target's unit; mean over columns."""
    return _metric("mae", "Mean absolute error.", by_column(_mae))


def rmsle() -> FunctionMetric:
    """Root of the mean squared error of log(1 + value); no value may be negative."""
    return _metric("rmsle", "Root of the mean squared error of log(1 + value).", by_column(_rmsle))


def r2() -> FunctionMetric:
    """Coefficient of determination; nan for a constant truth; mean over columns."""
    text = "Share of the variance explained: 1 is perfect, 0 is as good as the mean."
    return _metric("r2", text, by_column(_r2), "maximize", low=None, high=1.0)


def _metric(
    name: str,
    description: str,
    function: Score,
    direction: Direction = "minimize",
    low: float | None = 0.0,
    high: float | None = None,
) -> FunctionMetric:
    info = MetricInfo(name=name, direction=direction, low=low, high=high, description=description)
    return FunctionMetric(info, numeric=True, function=function)


def _rmse(truth: NDArray[Any], predicted: NDArray[Any]) -> float:
    return float(((truth - predicted) ** 2).mean() ** 0.5)


def _mae(truth: NDArray[Any], predicted: NDArray[Any]) -> float:
    return float(abs(truth - predicted).mean())


def _rmsle(truth: NDArray[Any], predicted: NDArray[Any]) -> float:
    import numpy as np

    if (predicted < 0).any():
        raise ValueError("predictions must not be negative")
    return _rmse(np.log1p(truth), np.log1p(predicted))


def _r2(truth: NDArray[Any], predicted: NDArray[Any]) -> float:
    spread = ((truth - truth.mean()) ** 2).sum()
    if spread == 0:
        return float("nan")
    return float(1 - ((truth - predicted) ** 2).sum() / spread)
