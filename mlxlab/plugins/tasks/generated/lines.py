"""Families whose truth goes through the whole space: sums, products, waves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlxlab.plugins.tasks.generated.sample import Kind, Sample

if TYPE_CHECKING:
    import numpy as np


def linear(rng: np.random.Generator, rows: int, kind: Kind) -> Sample:
    """A weighted sum of correlated columns."""
    import numpy as np

    width = int(rng.integers(4, 11))
    x = rng.normal(size=(rows, width)) @ (np.eye(width) + 0.3 * rng.normal(size=(width, width)))
    return Sample(list(x.T), x @ rng.normal(size=width))


def sparse(rng: np.random.Generator, rows: int, kind: Kind) -> Sample:
    """A weighted sum of three or four columns among many without meaning."""
    x = rng.normal(size=(rows, int(rng.integers(30, 46))))
    active = int(rng.integers(3, 5))
    return Sample(
        list(x.T), x[:, :active] @ (rng.choice([-1.0, 1.0], active) * _near_one(rng, active))
    )


def products(rng: np.random.Generator, rows: int, kind: Kind) -> Sample:
    """Products of pairs of columns."""
    x = rng.normal(size=(rows, int(rng.integers(5, 8))))
    signal = 0.3 * x[:, 0]
    for first in range(int(rng.integers(1, 3))):
        signal = signal + rng.choice([-1.0, 1.0]) * x[:, 2 * first] * x[:, 2 * first + 1]
    return Sample(list(x.T), signal)


def oblique(rng: np.random.Generator, rows: int, kind: Kind) -> Sample:
    """A wave along one direction that no single column has."""
    import numpy as np

    x = rng.normal(size=(rows, int(rng.integers(4, 8))))
    weights = rng.normal(size=x.shape[1])
    along = x @ weights / np.linalg.norm(weights)
    return Sample(list(x.T), np.sin(rng.uniform(1.8, 2.4) * along + rng.uniform(0, 6)))


def smooth(rng: np.random.Generator, rows: int, kind: Kind) -> Sample:
    """A sum of waves, one for each column."""
    import numpy as np

    x = rng.uniform(-1.7, 1.7, size=(rows, int(rng.integers(4, 7))))
    speed, phase, height = (
        rng.uniform(low, high, x.shape[1]) for low, high in ((1.5, 3.0), (0.0, 6.3), (0.5, 1.5))
    )
    return Sample(list(x.T), (height * np.sin(speed * x + phase)).sum(axis=1))


def tails(rng: np.random.Generator, rows: int, kind: Kind) -> Sample:
    """A weighted sum of what columns would be without their very long tails."""
    import numpy as np

    z = rng.normal(size=(rows, int(rng.integers(5, 9))))
    x = np.sinh(rng.uniform(2.0, 3.0) * z)
    return Sample(list(x.T), z @ (rng.choice([-1.0, 1.0], z.shape[1]) * _near_one(rng, z.shape[1])))


def skewed(rng: np.random.Generator, rows: int, kind: Kind) -> Sample:
    """A weighted sum, behind an exponential."""
    x = rng.normal(size=(rows, int(rng.integers(5, 9))))
    return Sample(list(x.T), x @ rng.normal(size=x.shape[1]) + 0.3 * x[:, 0] * x[:, 1])


def faint(rng: np.random.Generator, rows: int, kind: Kind) -> Sample:
    """A weighted sum of many columns, nearly drowned in noise."""
    x = rng.normal(size=(rows, int(rng.integers(12, 17))))
    return Sample(list(x.T), x @ rng.normal(size=x.shape[1]))


def _near_one(rng: np.random.Generator, count: int) -> np.ndarray:
    return rng.uniform(0.7, 1.3, count)
