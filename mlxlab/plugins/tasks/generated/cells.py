"""Families that are about their columns: categories, gaps, rare answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlxlab.plugins.tasks.generated.sample import Kind, Sample

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def codes(rng: np.random.Generator, rows: int, kind: Kind) -> Sample:
    """Two or three columns of categories, each category with an effect, and some numbers."""
    import numpy as np

    x = rng.normal(size=(rows, 3))
    signal, texts = 0.5 * x[:, 0], []
    for _ in range(int(rng.integers(2, 4))):
        count = int(rng.integers(8, 21))
        place = rng.integers(count, size=rows)
        signal = signal + rng.normal(size=count)[place]
        texts.append(_named(rng, count)[place])
    return Sample([*x.T, *texts], np.asarray(signal))


def gaps(rng: np.random.Generator, rows: int, kind: Kind) -> Sample:
    """Missing cells that mean something by themselves, and turn another column's effect over."""
    import numpy as np

    x = rng.normal(size=(rows, int(rng.integers(5, 8))))
    signal = 0.5 * x[:, 3]
    for column in range(3):
        gone = rng.random(rows) < rng.uniform(0.25, 0.4)
        weight, effect = rng.choice([-1.0, 1.0], 2) * rng.uniform(0.5, 1.2, 2)
        signal = signal + np.where(gone, effect, weight * x[:, column])
        if column == 0:
            signal = signal + np.where(gone, -1.0, 1.0) * x[:, 4]
        x[gone, column] = np.nan
    return Sample(list(x.T), signal)


def rare(rng: np.random.Generator, rows: int, kind: Kind) -> Sample:
    """Few positive rows, mostly where two columns are extreme together."""
    import numpy as np

    x = rng.normal(size=(rows, int(rng.integers(6, 10))))
    corner = np.minimum(x[:, 0], x[:, 1])
    return Sample(list(x.T), 1.2 * corner + 0.7 * x[:, 2] + 0.5 * np.abs(x[:, 3]))


def _named(rng: np.random.Generator, count: int) -> NDArray[Any]:
    """Names of categories in an order that tells nothing of their effects."""
    import numpy as np

    return np.asarray([f"v{name:02d}" for name in rng.permutation(count)], dtype=object)
