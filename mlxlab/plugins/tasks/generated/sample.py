"""What a family draws: columns, and the truth that noise is added to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Kind = Literal["regression", "classification"]
NUMBERS = ("rmse", "mae")
CHANCES = ("auc", "log_loss", "accuracy")


@dataclass(frozen=True)
class Sample:
    """Rows without noise.

    Args:
        columns: features, each of shape (rows,); numbers, nan where missing, or texts.
        signal: the truth of each row on a scale without meaning; nothing where there are `chances`.
        chances: of each class, of shape (rows, classes), where the family draws several classes.
    """

    columns: list[NDArray[Any]]
    signal: NDArray[Any] | None = None
    chances: NDArray[Any] | None = None


Draw = Callable[["np.random.Generator", int, Kind], Sample]


@dataclass(frozen=True)
class Family:
    """A kind of table.

    Args:
        draw: rows from a generator, their number, and whether numbers or classes are asked for.
        kinds: which of the two the family can be.
        rows: of training, least and most.
        noise: the share of the target's variance that is noise, least and most; of two classes
            the share that it has of what is cut in two.
        chances: metrics where classes are asked for.
        numbers: metrics where numbers are.
        positive: the share of the positive class, least and most; None: about a half.
        skewed: whether the target is the exponential of the signal.
    """

    draw: Draw
    kinds: tuple[Kind, ...] = ("regression", "classification")
    rows: tuple[int, int] = (200, 500)
    noise: tuple[float, float] = (0.05, 0.3)
    chances: tuple[str, ...] = CHANCES
    numbers: tuple[str, ...] = NUMBERS
    positive: tuple[float, float] | None = None
    skewed: bool = False
