"""Families whose truth is local: rings, boxes, clouds of points."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlxlab.plugins.tasks.generated.sample import Kind, Sample

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CUTS = 3
"""Levels of the tree behind `steps`."""


def rings(rng: np.random.Generator, rows: int, kind: Kind) -> Sample:
    """Waves around a centre in two columns; one or two more mean nothing."""
    import numpy as np

    x = rng.uniform(-1, 1, size=(rows, int(rng.integers(2, 4))))
    centre = rng.uniform(-0.3, 0.3, 2)
    radius = np.linalg.norm(x[:, :2] - centre, axis=1)
    return Sample(list(x.T), np.cos(rng.uniform(5.0, 7.0) * radius))


def steps(rng: np.random.Generator, rows: int, kind: Kind) -> Sample:
    """A tree of thresholds over some of the columns: one value for each box."""
    import numpy as np

    x = rng.normal(size=(rows, int(rng.integers(8, 13))))
    box = np.zeros(rows, dtype=int)
    for level in range(CUTS):
        columns = rng.choice(x.shape[1], 2**level, replace=False)
        cuts = rng.uniform(-0.5, 0.5, 2**level)
        box = 2 * box + (x[np.arange(rows), columns[box]] > cuts[box])
    values = rng.permutation(np.linspace(-1.5, 1.5, 2**CUTS))
    return Sample(list(x.T), values[box])


def stumps(rng: np.random.Generator, rows: int, kind: Kind) -> Sample:
    """Thresholds of one column each, and of pairs of them together."""
    import numpy as np

    x = rng.normal(size=(rows, int(rng.integers(10, 15))))
    above = x > rng.uniform(-0.6, 0.6, x.shape[1])
    pairs = [above[:, place] & above[:, place + 1] for place in range(0, 6, 2)]
    weights = rng.choice([-1.0, 1.0], 3) * rng.uniform(1.0, 2.0, 3)
    return Sample(list(x.T), np.column_stack(pairs) @ weights + 0.5 * above[:, 6])


def blobs(rng: np.random.Generator, rows: int, kind: Kind) -> Sample:
    """Clouds of points, each of one class or value, several clouds for each class."""
    import numpy as np

    width, clouds = int(rng.integers(2, 5)), int(rng.integers(8, 13))
    centres = rng.normal(size=(clouds, width)) * 2.0
    spread = rng.uniform(0.45, 0.65)
    x = centres[rng.integers(clouds, size=rows)] + spread * rng.normal(size=(rows, width))
    distance = ((x[:, None, :] - centres) ** 2).sum(axis=2) / (2 * spread**2)
    belongs = np.exp(distance.min(axis=1, keepdims=True) - distance)
    belongs /= belongs.sum(axis=1, keepdims=True)
    if kind == "regression":
        return Sample(list(x.T), belongs @ rng.permutation(np.linspace(-1.5, 1.5, clouds)))
    classes = int(rng.integers(3, 6))
    owner = np.eye(classes)[rng.permutation(np.arange(clouds) % classes)]
    return Sample(list(x.T), chances=belongs @ owner)


def spreads(rng: np.random.Generator, rows: int, kind: Kind) -> Sample:
    """Classes that differ in how far their columns scatter, hardly in where they lie."""
    import numpy as np

    width, classes = int(rng.integers(6, 11)), int(rng.integers(2, 4))
    scale = np.exp(rng.normal(size=(classes, width)) * 0.55)
    middle = rng.normal(size=(classes, width)) * 0.25
    label = rng.integers(classes, size=rows)
    x = middle[label] + scale[label] * rng.normal(size=(rows, width))
    return Sample(list(x.T), chances=_posterior(x, middle, scale))


def _posterior(x: NDArray[Any], middle: NDArray[Any], scale: NDArray[Any]) -> NDArray[Any]:
    """Chances of equally likely normal clouds."""
    import numpy as np

    standard = (x[:, None, :] - middle) / scale
    likely = -(standard**2).sum(axis=2) / 2 - np.log(scale).sum(axis=1)
    weights = np.exp(likely - likely.max(axis=1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))
