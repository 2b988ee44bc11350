"""Settings in words: how advice says them, and which listed actions a sentence means."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

from mlxlab.plugins.policies.search.choices import Choice

_SAID: dict[str, tuple[str, ...]] = {
    "linear": ("linear model", "logistic regression", "ridge regression"),
    "lasso": ("lasso", "sparse linear regression"),
    "tree": ("single decision tree", "decision tree"),
    "forest": ("random forest", "bagging of trees"),
    "extra": ("extremely randomised trees", "extra trees", "extremely randomized trees"),
    "boost": ("gradient boosting", "boosted trees", "boosting"),
    "knn": ("nearest neighbours", "nearest neighbors", "neighbours"),
    "svm": ("support vector machine", "kernel machine"),
    "mlp": ("small neural network", "neural network", "multilayer perceptron"),
    "bayes": ("naive Bayes",),
    "constant": ("constant prediction",),
    "standard": ("standardised columns", "standardized columns", "standard scaling"),
    "quantile": ("columns mapped to normal quantiles", "quantile scaling", "rank transform"),
    "poly": ("products of the best columns", "interactions of columns", "polynomial features"),
    "half": ("only the more telling half of the columns", "feature selection"),
    "all": ("every column kept",),
    "ordinal": ("categories as ordinal codes", "ordinal codes"),
    "onehot": ("categories one-hot encoded", "one-hot"),
    "balanced": ("balanced class weights", "classes weighted to count alike"),
    "log": ("the logarithm of the target", "log transform"),
}
"""What a setting's value is called; the first names are the clearest."""


def phrases(key: str, value: Any) -> tuple[str, ...]:
    """The ways to say a setting."""
    if isinstance(value, str):
        return _SAID.get(value, (f"{value} {key}",))
    return f"{key} {value}", f"{key} of {value}", f"{value} {key}"


def meant(sentence: str, choices: Sequence[Choice]) -> list[Choice]:
    """The choices with the most settings that a sentence names; none where it names none.

    A sentence that names a family means that family, whatever else it names.
    """
    spoken = f" {' '.join(re.findall(r'[a-z0-9.]+', sentence.lower()))} ".replace(". ", " ")
    named = [choice for choice in choices if choice.family in _families(spoken, choices)]
    scored = [(_count(spoken, choice), choice) for choice in named or choices]
    most = max((count for count, _ in scored), default=0)
    return [choice for count, choice in scored if count == most and most > 0]


def _families(spoken: str, choices: Sequence[Choice]) -> set[str]:
    """The families that are named, without those whose name is a part of a longer one's."""
    found: dict[str, int] = {}
    for name in {choice.family for choice in choices}:
        ways = [way for way in (name, *phrases("model", name)) if _heard(spoken, way)]
        found.update({name: max(len(way) for way in ways)} if ways else {})
    longest = max(found.values(), default=0)
    return {name for name, length in found.items() if length == longest}


def _count(spoken: str, choice: Choice) -> int:
    return sum(_says(spoken, key, value) for key, value in choice.settings.items())


@cache
def _says(spoken: str, key: str, value: Any) -> bool:
    ways = phrases(key, value) + ((value,) if isinstance(value, str) else ())
    return any(_heard(spoken, way) for way in ways if way not in _TOO_COMMON)


_TOO_COMMON = frozenset({"all", "half", "log", "standard", "plain", "linear", "tree", "extra"})
"""Values that are ordinary words of other meanings; their phrases tell them."""


def _heard(spoken: str, way: str) -> bool:
    return f" {' '.join(re.findall(r'[a-z0-9.]+', way.lower()))} " in spoken
