"""Three plain models tried on the training rows: what anybody would try unasked.

Each score is the share of the target's variance that is explained on rows left out, over three
folds; classes count as columns of 0 and 1. The models are written in numpy, since importing a
library of models would take ten times as long as everything else about a task.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Fit = Callable[[NDArray[Any], NDArray[Any], NDArray[Any]], NDArray[Any]]

FOLDS = 3
NEIGHBOURS = 10
PENALTY = 10.0
DEPTH, LEAF = 3, 5
"""The small tree: its levels, and the fewest rows of a leaf."""


def probes(features: pd.DataFrame, target: NDArray[Any]) -> dict[str, float]:
    """The three scores, in [-1, 1], to two digits.

    Args:
        features: of the training rows.
        target: of shape (rows, columns), numbers.
    """
    x = _numbers(features)
    models = {"p_lin": _linear, "p_tree": _tree, "p_near": _near}
    return {name: round(_score(model, x, target), 2) for name, model in models.items()}


def _score(model: Fit, x: NDArray[Any], y: NDArray[Any]) -> float:
    import numpy as np

    errors = total = 0.0
    for fold in range(FOLDS):
        held = np.arange(len(x)) % FOLDS == fold
        middle = y[~held].mean(axis=0)
        errors += float(((y[held] - model(x[~held], y[~held], x[held])) ** 2).sum())
        total += float(((y[held] - middle) ** 2).sum())
    return min(1.0, max(-1.0, 1 - errors / total)) if total else 0.0


def _linear(x: NDArray[Any], y: NDArray[Any], new: NDArray[Any]) -> NDArray[Any]:
    """Ridge regression."""
    import numpy as np

    middle = y.mean(axis=0)
    gram = x.T @ x + PENALTY * np.eye(x.shape[1])
    return np.asarray(middle + new @ np.linalg.solve(gram, x.T @ (y - middle)))


def _near(x: NDArray[Any], y: NDArray[Any], new: NDArray[Any]) -> NDArray[Any]:
    """The mean of the nearest rows."""
    import numpy as np

    distance = (new**2).sum(axis=1)[:, None] - 2 * new @ x.T + (x**2).sum(axis=1)
    nearest = np.argpartition(distance, NEIGHBOURS - 1, axis=1)[:, :NEIGHBOURS]
    return np.asarray(y[nearest].mean(axis=1))


def _tree(x: NDArray[Any], y: NDArray[Any], new: NDArray[Any], depth: int = DEPTH) -> NDArray[Any]:
    """A regression tree, grown greedily."""
    import numpy as np

    found = np.tile(y.mean(axis=0), (len(new), 1))
    cut = _cut(x, y) if depth else None
    if cut is None:
        return found
    column, value = cut
    left, below = x[:, column] <= value, new[:, column] <= value
    found[below] = _tree(x[left], y[left], new[below], depth - 1)
    found[~below] = _tree(x[~left], y[~left], new[~below], depth - 1)
    return found


def _cut(x: NDArray[Any], y: NDArray[Any]) -> tuple[int, float] | None:
    """The column and the value that leave the least variance on both sides."""
    import numpy as np

    rows = len(x)
    if rows < 2 * LEAF:
        return None
    order = x.argsort(axis=0, kind="stable")
    ordered = np.take_along_axis(x, order, axis=0)
    sums = (y - y.mean(axis=0))[order].cumsum(axis=0)
    sizes = np.arange(1, rows + 1)[:, None]
    # All sides' sums of squares but for a constant: both means are about the common one.
    gains = (sums**2).sum(axis=2) / sizes * rows / np.maximum(rows - sizes, 1)
    gains[:-1][ordered[1:] == ordered[:-1]] = -1.0
    gains[: LEAF - 1], gains[rows - LEAF :] = -1.0, -1.0
    place, column = np.unravel_index(int(gains.argmax()), gains.shape)
    if gains[place, column] <= 0:
        return None
    return int(column), float((ordered[place, column] + ordered[place + 1, column]) / 2)


def _numbers(features: pd.DataFrame) -> NDArray[Any]:
    """Every column in units of its spread; gaps filled and marked, categories one by one."""
    import numpy as np
    from pandas.api.types import is_numeric_dtype

    found = []
    for name in features:
        column = features[name]
        if not is_numeric_dtype(column):
            found += [column.to_numpy() == level for level in sorted(column.unique())]
            continue
        values = column.to_numpy(dtype=float)
        gone = np.isnan(values)
        found += [np.where(gone, np.nanmedian(values), values), *([gone] if gone.any() else [])]
    x = np.column_stack([np.asarray(column, dtype=float) for column in found])
    spread = x.std(axis=0)
    return np.asarray((x - x.mean(axis=0)) / np.where(spread > 0, spread, 1.0))
