"""What a column tells of the target, measured on training rows only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .own import Own

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Fit = Callable[[NDArray[Any], NDArray[Any]], Callable[[NDArray[Any]], NDArray[Any]]]

FOLDS = 3
MOST_ROWS = 3000
TREES = 30
LEAST = 0.02
"""Explained share from which a column tells anything."""


def tree(x: NDArray[Any], y: NDArray[Any]) -> Callable[[NDArray[Any]], NDArray[Any]]:
    """A decision tree: finds thresholds and look-ups."""
    from sklearn.tree import DecisionTreeRegressor

    model = DecisionTreeRegressor(min_samples_leaf=3, random_state=0).fit(x, y)
    return lambda new: model.predict(new).reshape(len(new), -1)


def line(x: NDArray[Any], y: NDArray[Any]) -> Callable[[NDArray[Any]], NDArray[Any]]:
    """A straight line: finds a copy of the target, also beyond the values seen."""
    import numpy as np

    both = np.column_stack([np.ones(len(x)), x])
    weights = np.linalg.lstsq(both, y, rcond=None)[0]
    return lambda new: np.asarray(np.column_stack([np.ones(len(new)), new]) @ weights)


def forest(
    x: NDArray[Any], y: NDArray[Any], leaf: int = 3
) -> Callable[[NDArray[Any]], NDArray[Any]]:
    """A quick honest model of many columns."""
    from sklearn.ensemble import ExtraTreesRegressor

    model = ExtraTreesRegressor(TREES, min_samples_leaf=leaf, random_state=0)
    model.fit(x, y.ravel() if y.shape[1] == 1 else y)
    return lambda new: model.predict(new).reshape(len(new), -1)


def calm(x: NDArray[Any], y: NDArray[Any]) -> Callable[[NDArray[Any]], NDArray[Any]]:
    """A forest of large leaves, which does not learn the noise."""
    return forest(x, y, leaf=max(3, len(x) // 20))


def skill(fit: Fit, x: NDArray[Any], y: NDArray[Any], groups: NDArray[Any] | None = None) -> float:
    """The share of the target's variance explained on rows that were not fitted (1 is all).

    Rows of equal numbers in `groups` are fitted together or left out together.
    """
    import numpy as np

    draw = np.random.default_rng(0)
    rows = draw.permutation(len(x))[:MOST_ROWS]
    x, y = x[rows], y[rows]
    fold = np.arange(len(x)) % FOLDS if groups is None else groups[rows] % FOLDS
    wrong = total = 0.0
    for number in range(FOLDS):
        out = fold == number
        predicted = fit(x[~out], y[~out])(x[out])
        wrong += float(((y[out] - predicted) ** 2).sum())
        total += float(((y[out] - y[~out].mean(axis=0)) ** 2).sum())
    return 1 - wrong / total if total else 0.0


def honest(own: Own) -> float:
    """The skill of a quick model of the task's own columns."""
    if own.features.shape[1] == 0:
        return 0.0
    return max(0.0, skill(forest, own.features[: own.train], own.goal))


def tells_more(found: float, by_itself: float) -> bool:
    """Whether a column leaves clearly less unexplained than the task's own columns do."""
    return found > LEAST and 1 - found < 0.7 * (1 - by_itself)


def keeps_up(found: float, by_itself: float) -> bool:
    """Whether a column alone explains about what all the task's own columns do.

    The true answers do no more where the training labels are noisy: nothing explains the noise.
    """
    return found > LEAST and 1 - found < 1.05 * (1 - by_itself)
