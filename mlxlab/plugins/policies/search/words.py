"""Settings in words: how advice says them, and which listed actions a sentence means."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

from mlxlab.plugins.policies.search.choices import Choice

_SAID: dict[str, tuple[str, ...]] = {
    "linear": ("linear model", "regularised linear model"),
    "lasso": ("lasso", "sparse linear regression"),
    "tree": ("single decision tree", "decision tree"),
    "forest": ("random forest", "forest of bagged trees"),
    "extra": ("forest of extremely randomised trees", "set of extra trees"),
    "boost": ("gradient boosting model", "boosted ensemble"),
    "knn": ("nearest neighbours model", "vote of the nearest neighbours"),
    "svm": ("support vector machine", "kernel machine"),
    "mlp": ("small neural network", "multilayer perceptron"),
    "bayes": ("naive Bayes model", "model of independent normal densities"),
    "constant": ("constant prediction",),
    "standard": ("standardised columns", "columns at one scale"),
    "quantile": ("columns mapped to normal quantiles", "quantile scaling"),
    "poly": ("products of the best columns", "interactions of columns"),
    "half": ("only the more telling half of the columns", "feature selection"),
    "ordinal": ("categories as ordinal codes", "ordinal encoding"),
    "onehot": ("one-hot encoded categories", "a column for each category"),
    "balanced": ("balanced class weights", "classes that count alike"),
    "log": ("the logarithm of the target", "a log transform of the target"),
    "mean": ("the mean",),
    "median": ("the median",),
}
"""What a setting's value is called in advice."""

_HEARD: dict[str, tuple[str, ...]] = {
    "linear": ("logistic regression", "ridge", "linear regression"),
    "lasso": ("l1",),
    "forest": ("bagging",),
    "extra": ("extremely randomized trees", "extra trees"),
    "boost": ("boosting", "boosted trees", "gradient boosted"),
    "knn": ("nearest neighbours", "nearest neighbors", "k-nn"),
    "mlp": ("neural network", "neural net", "perceptron"),
    "bayes": ("naive Bayes",),
    "standard": ("standardized", "standardised", "standard scaling", "standardization"),
    "quantile": ("quantiles", "rank transform"),
    "poly": ("polynomial", "interactions"),
    "half": ("select features", "fewer columns"),
    "onehot": ("one-hot", "one hot"),
    "balanced": ("class weights", "balanced"),
    "log": ("log transform", "logarithm", "log target", "log of the target"),
}
"""What else others may call it."""

_COUNTED: dict[str, tuple[str, ...]] = {
    "depth": ("{} levels", "a depth of {}"),
    "trees": ("{} trees",),
    "rounds": ("{} rounds",),
    "k": ("the {} closest rows", "{} neighbours"),
    "units": ("{} units", "{} hidden units"),
    "decay": ("a weight decay of {}", "decay {}"),
    "rate": ("a learning rate of {}", "rate {}"),
    "smooth": ("a smoothing of {}",),
}
"""How numbers are said; others by the name of their key."""

_TOO_COMMON = frozenset({"half", "log", "standard", "linear", "tree", "extra", "mean", "constant"})
"""Values that are ordinary words of other meanings; their phrases tell them."""


def phrases(key: str, value: Any) -> tuple[str, ...]:
    """The ways in which advice says a setting."""
    if isinstance(value, str):
        return _SAID.get(value, (f"{value} {key}",))
    ways = _COUNTED.get(key, (f"a {key} of {{}}",))
    return tuple(way.format(value) for way in ways)


def meant(sentence: str, choices: Sequence[Choice]) -> list[Choice]:
    """The choices with the most settings that a sentence names; none where it names none.

    A sentence that names a family means that family, whatever else it names.
    """
    spoken = _plain(sentence)
    families = _families(spoken, choices)
    pool = [choice for choice in choices if choice.family in families] or list(choices)
    counts = [
        sum(_says(spoken, key, value) for key, value in choice.settings.items()) for choice in pool
    ]
    most = max(counts, default=0)
    named = zip(pool, counts, strict=True)
    return [choice for choice, count in named if count == most and most > 0]


def _families(spoken: str, choices: Sequence[Choice]) -> set[str]:
    """The families that are named; of two, the one in more letters: boosted trees are no tree."""
    found: dict[str, int] = {}
    for name in {choice.family for choice in choices}:
        lengths = [len(way) for way in _ways("model", name) if _plain(way) in spoken]
        found.update({name: max(lengths)} if lengths else {})
    longest = max(found.values(), default=0)
    return {name for name, length in found.items() if length == longest}


@cache
def _says(spoken: str, key: str, value: Any) -> bool:
    return any(_plain(way) in spoken for way in _ways(key, value))


def _ways(key: str, value: Any) -> tuple[str, ...]:
    """All the ways in which a setting may be heard."""
    if not isinstance(value, str):
        return *phrases(key, value), f"{key} {value}", f"{key} of {value}", f"{value} {key}"
    itself = () if value in _TOO_COMMON else (value,)
    return *phrases(key, value), *_HEARD.get(value, ()), *itself


@cache
def _plain(text: str) -> str:
    """A text as its words in small letters without plurals, between blanks."""
    words = re.findall(r"\d+(?:\.\d+)?|[a-z]+", text.lower())
    return f" {' '.join(word.removesuffix('s') if len(word) > 3 else word for word in words)} "
