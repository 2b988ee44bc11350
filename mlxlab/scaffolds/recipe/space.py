"""The space of recipes: model families, their settings, and the few values of each.

Every setting of a family has to be written and no other may be: a default that can be left out
is a way to say the same in several words, and what a prototype learned to exploit.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Literal

Kind = Literal["classification", "regression"]
Value = str | int | float
Recipe = dict[str, Value]
Settings = dict[str, tuple[Value, ...]]

MODEL = "model"
"""The key that names the family; it comes first."""
_SCALES: Settings = {"scale": ("standard", "quantile", "poly")}
_PLAIN_SCALES: Settings = {"scale": ("standard", "quantile")}
_COLUMNS: Settings = {"columns": ("all", "half")}
_ENCODE: Settings = {"encode": ("ordinal", "onehot")}
_BALANCE: dict[Kind, Settings] = {
    "classification": {"weights": ("plain", "balanced")},
    "regression": {"target": ("plain", "log")},
}
"""What only one kind of task has: weights of the classes, the logarithm of the target."""


@dataclass(frozen=True)
class Family:
    """A model family with its settings, in the order in which they are written.

    Args:
        listed: whether searches may choose it; the others are there to be too much.
        about: what it is, for prompts that explain.
    """

    name: str
    about: str
    settings: Settings
    listed: bool = True


def _linear(kind: Kind) -> list[Family]:
    regularised: Settings = {"strength": (0.01, 0.1, 1, 10)}
    name = "logistic regression" if kind == "classification" else "ridge regression"
    about = f"{name}; strength is how freely it fits"
    return [Family("linear", about, {**regularised, **_SCALES, **_COLUMNS, **_BALANCE[kind]})]


def _trees(kind: Kind) -> list[Family]:
    balance = _BALANCE[kind]
    grown: Settings = {"trees": (10, 40), "depth": (4, 8, 16), **_ENCODE, **balance}
    # Boosting by histograms takes five times as long with weights: its bins are then weighted.
    logs: Settings = balance if kind == "regression" else {}
    boosted: Settings = {"rate": (0.1, 0.3), "rounds": (10, 40, 100), **_ENCODE, **logs}
    return [
        Family("tree", "one decision tree", {"depth": (2, 4, 8, 16), **_ENCODE, **balance}),
        Family("forest", "a random forest", grown),
        Family("boost", "gradient boosting by histograms", boosted),
        Family("extra", "extremely randomised trees", grown),
    ]


def _smooth(kind: Kind) -> list[Family]:
    logs: Settings = _BALANCE[kind] if kind == "regression" else {}
    knn: Settings = {"k": (3, 10, 30), **_PLAIN_SCALES, **_COLUMNS, **logs}
    svm: Settings = {"strength": (0.1, 1, 10), **_PLAIN_SCALES, **_COLUMNS, **logs}
    mlp: Settings = {"units": (16, 64), "decay": (0.001, 1), **_PLAIN_SCALES, **logs}
    return [
        Family("knn", "the k nearest neighbours", knn),
        Family("svm", "a support vector machine with an rbf kernel", svm),
        Family("mlp", "a neural network with one hidden layer", mlp),
    ]


def _own(kind: Kind) -> list[Family]:
    """The families that one kind of task has alone, the constant and the wasteful ones."""
    if kind == "classification":
        smooth: Settings = {"smooth": (0, 0.01, 0.3), **_PLAIN_SCALES, **_COLUMNS}
        own = Family("bayes", "naive Bayes with normal densities", smooth)
        constant = Family("constant", "the shares of the classes", {})
    else:
        penalty: Settings = {"penalty": (0.001, 0.01, 0.1), **_SCALES, **_BALANCE[kind]}
        own = Family("lasso", "lasso regression", penalty)
        constant = Family("constant", "the same for every row", {"value": ("mean", "median")})
    return [
        own,
        constant,
        Family("search", "a random search over trees", {"trials": (1_000_000,)}, listed=False),
        Family("kernel", "kernel regression on points", {"points": (200_000,)}, listed=False),
    ]


@cache
def families(kind: Kind) -> dict[str, Family]:
    """The families of a kind of task by name, those that most people try first leading."""
    made = [*_linear(kind), *_trees(kind), *_smooth(kind), *_own(kind)]
    return {family.name: family for family in made}


@cache
def listed(kind: Kind) -> tuple[Recipe, ...]:
    """Every recipe that a search may choose, the same each time."""
    return tuple(
        {MODEL: family.name, **dict(zip(family.settings, values, strict=True))}
        for family in families(kind).values()
        if family.listed
        for values in product(*family.settings.values())
    )


def near(kind: Kind, recipe: Recipe) -> list[Recipe]:
    """The listed recipes of the same family that differ in exactly one setting."""
    return [
        other
        for other in listed(kind)
        if other.keys() == recipe.keys()
        and other[MODEL] == recipe[MODEL]
        and sum(other[key] != recipe[key] for key in other) == 1
    ]


def plain(kind: Kind) -> list[Recipe]:
    """The three that anybody would try unasked: a linear model, a small tree, neighbours."""
    usual: Recipe = {"weights": "plain"} if kind == "classification" else {"target": "plain"}
    logs = usual if kind == "regression" else {}
    return [
        {MODEL: "linear", "strength": 1, "scale": "standard", "columns": "all", **usual},
        {MODEL: "tree", "depth": 4, "encode": "ordinal", **usual},
        {MODEL: "knn", "k": 10, "scale": "standard", "columns": "all", **logs},
    ]
