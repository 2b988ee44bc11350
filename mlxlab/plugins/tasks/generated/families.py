"""The families by name."""

from __future__ import annotations

from difflib import get_close_matches

from mlxlab.plugins.tasks.generated.cells import codes, gaps, rare
from mlxlab.plugins.tasks.generated.lines import (
    faint,
    linear,
    oblique,
    products,
    skewed,
    smooth,
    sparse,
    tails,
)
from mlxlab.plugins.tasks.generated.places import blobs, rings, spreads, steps, stumps
from mlxlab.plugins.tasks.generated.sample import Family

FAMILIES = {
    "linear": Family(linear),
    "sparse": Family(sparse, rows=(150, 300)),
    "products": Family(products),
    "oblique": Family(oblique, rows=(300, 500)),
    "smooth": Family(smooth),
    "tails": Family(tails),
    "skewed": Family(skewed, kinds=("regression",), numbers=("rmsle", "mae"), skewed=True),
    "faint": Family(faint, rows=(120, 200), noise=(0.55, 0.75)),
    "rings": Family(rings, rows=(300, 500)),
    "steps": Family(steps),
    "stumps": Family(stumps, rows=(150, 300), noise=(0.4, 0.65)),
    "blobs": Family(blobs, chances=("accuracy",)),
    "spreads": Family(spreads, kinds=("classification",), chances=("accuracy",)),
    "codes": Family(codes, rows=(300, 500)),
    "gaps": Family(gaps, rows=(300, 500)),
    "rare": Family(
        rare,
        kinds=("classification",),
        rows=(300, 500),
        chances=("balanced_accuracy", "auc", "average_precision"),
        positive=(0.06, 0.12),
    ),
}
"""What a seed may draw within each; which kinds of model win differs from family to family."""


def chosen(text: str) -> tuple[str, int]:
    """Family and seed of `FAMILY/SEED` or `FAMILY`; raises ValueError in a line for people."""
    name, slash, seed = text.partition("/")
    if name not in FAMILIES:
        near = get_close_matches(name, FAMILIES, 1)
        hint = f"did you mean '{near[0]}'? " if near else ""
        raise ValueError(f"there is no family '{name}': {hint}known are {', '.join(FAMILIES)}")
    if slash and not (seed.isascii() and seed.isdecimal() and len(seed) <= 18):
        raise ValueError(f"'{seed}' is no seed: write a whole number from 0, as in {name}/3")
    return name, int(seed or 0)
