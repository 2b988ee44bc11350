"""From a family and a seed to a table with noise, and the best prediction that there can be."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlxlab.plugins.tasks.generated.families import FAMILIES
from mlxlab.plugins.tasks.generated.sample import Family, Kind, Sample
from mlxlab.plugins.tasks.split import Split

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

PUBLIC = PRIVATE = 800
TARGET = "y"
LOGISTIC = 3.29
"""The variance of the logistic distribution: classes are a signal with such noise, cut in two."""
DIGITS = 4
"""Significant digits of a typical number of a column."""


@dataclass(frozen=True)
class Table:
    """A family's table for one seed.

    Args:
        frame: the features in an order without meaning, then the target.
        metric: by its registered name.
        best: for each row what the generating function says, as the metric wants it: no model
            of the features can be expected to do better.
    """

    frame: pd.DataFrame
    kind: Kind
    metric: str
    split: Split
    best: NDArray[Any]


def table(name: str, seed: int) -> Table:
    """The table, the same each time: its numbers come from one generator in a fixed order."""
    import numpy as np

    family = FAMILIES[name]
    rng = np.random.default_rng([zlib.crc32(name.encode()), seed])
    kind = family.kinds[int(rng.integers(len(family.kinds)))]
    train = int(rng.integers(family.rows[0], family.rows[1] + 1))
    metrics = family.numbers if kind == "regression" else family.chances
    metric = metrics[int(rng.integers(len(metrics)))]
    sample = family.draw(rng, train + PUBLIC + PRIVATE, kind)
    answer = _numbers if kind == "regression" else _labels
    target, best = answer(family, sample, metric, rng)
    frame = _features(sample, rng)
    frame[TARGET] = target
    ends = (train, train + PUBLIC, train + PUBLIC + PRIVATE)
    parts = (range(ends[0]), range(ends[0], ends[1]), range(ends[1], ends[2]))
    return Table(frame, kind, metric, Split(*map(list, parts)), best)


def _numbers(
    family: Family, sample: Sample, metric: str, rng: np.random.Generator
) -> tuple[NDArray[Any], NDArray[Any]]:
    """A target of numbers, and its mean (or median, which is the same) in each row."""
    import numpy as np

    share = rng.uniform(*family.noise)
    mean = _standard(sample.signal) * (1 - share) ** 0.5
    noisy = mean + share**0.5 * rng.normal(size=len(mean))
    scale, level = 10 ** rng.uniform(-0.5, 2.0), rng.uniform(-5.0, 5.0)
    if family.skewed:
        spread, middle = rng.uniform(0.8, 1.3), rng.uniform(3.0, 6.0)
        target, best = (np.expm1(np.maximum(middle + spread * z, 0.0)) for z in (noisy, mean))
        return _rounded(target), best
    return _rounded(scale * (noisy + level)), scale * (mean + level)


def _labels(
    family: Family, sample: Sample, metric: str, rng: np.random.Generator
) -> tuple[NDArray[Any], NDArray[Any]]:
    """A target of classes, and what the metric rewards most in each row."""
    import numpy as np

    chances = sample.chances
    if chances is None:
        positive = _positive(family, _standard(sample.signal), rng)
        chances = np.column_stack([1 - positive, positive])
    label = (chances.cumsum(axis=1) < rng.random((len(chances), 1))).sum(axis=1)
    label = np.minimum(label, chances.shape[1] - 1)
    if metric == "accuracy":
        return label, chances.argmax(axis=1)
    if metric == "balanced_accuracy":
        return label, (chances / chances.mean(axis=0)).argmax(axis=1)
    return label, chances[:, 1]


def _positive(family: Family, signal: NDArray[Any], rng: np.random.Generator) -> NDArray[Any]:
    """The chance of the positive class, which has its share of all rows."""
    import numpy as np

    noise = rng.uniform(*family.noise)
    steep = (LOGISTIC * (1 - noise) / noise) ** 0.5
    share = rng.uniform(*(family.positive or (0.4, 0.6)))
    ends = [-50.0, 50.0]
    for _ in range(50):
        middle = sum(ends) / 2
        ends[int((1 / (1 + np.exp(-steep * signal - middle))).mean() > share)] = middle
    return np.asarray(1 / (1 + np.exp(-steep * signal - sum(ends) / 2)))


def _features(sample: Sample, rng: np.random.Generator) -> pd.DataFrame:
    """The columns in an order, with names and in units that tell nothing."""
    import pandas as pd

    numbers = [column for column in sample.columns if column.dtype != object]
    texts = [column for column in sample.columns if column.dtype == object]
    order = rng.permutation(len(numbers))
    found = {}
    for place, number in enumerate(order):
        scale, level = 10 ** rng.uniform(-1.0, 2.0), rng.uniform(-3.0, 3.0)
        found[f"x{place}"] = _rounded(scale * (numbers[number] + level))
    found |= {f"c{place}": column for place, column in enumerate(texts)}
    return pd.DataFrame(found)


def _standard(signal: NDArray[Any] | None) -> NDArray[Any]:
    import numpy as np

    assert signal is not None
    return np.asarray((signal - signal.mean()) / signal.std())


def _rounded(values: NDArray[Any]) -> NDArray[Any]:
    """Numbers to about four significant digits of their spread."""
    import numpy as np

    # The middle half's spread: a few extreme numbers must not round all others away.
    low, high = np.nanquantile(values, [0.25, 0.75])
    return np.round(values, DIGITS - 1 - int(np.floor(np.log10(high - low))))
