"""What components state in their attributes, checked when they are made: anybody may write them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from math import isnan
from typing import get_args

from mlxlab.core.order import Order
from mlxlab.core.reward import Need
from mlxlab.core.scaffold import Pace


def attribute_problem(kind: str, made: object) -> str:
    """What is wrong with an attribute that a run goes by, in words; empty: nothing.

    Raises:
        Exception: an attribute fails.
    """
    for name, problem in _STATED.get(kind, {}).items():
        if hasattr(made, name) and (said := problem(getattr(made, name))):
            return f"{name} {said}"
    return ""


def _of(kind: type) -> Callable[[object], str]:
    def problem(value: object) -> str:
        return "" if isinstance(value, kind) else _is_no(value, kind.__name__)

    return problem


def _needs(value: object) -> str:
    if isinstance(value, str) or not isinstance(value, Collection):
        return _is_no(value, "set of names")
    wrong = next((each for each in value if not isinstance(each, str)), "")
    if wrong != "":
        return f"holds {wrong!r}, no name"
    unknown = sorted(set(value) - set(get_args(Need)))
    there = " and ".join(map(repr, get_args(Need)))
    return f"names {unknown[0]!r}, and what a reward can ask for is {there}" if unknown else ""


def _range(value: object) -> str:
    if not isinstance(value, tuple | list) or len(value) != 2:
        return _is_no(value, "pair of numbers")
    low, high = value
    for each in (low, high):
        if isinstance(each, bool) or not isinstance(each, int | float) or isnan(each):
            return f"holds {each!r}, no number"
    return "" if low <= high else f"is ({low:g}, {high:g}), which begins above its end"


def _is_no(value: object, wanted: str) -> str:
    return f"is {type(value).__name__}, no {wanted}"


_STATED: dict[str, dict[str, Callable[[object], str]]] = {
    "scaffold": {"needs_score": _of(bool), "max_asks": _of(int), "pace": _of(Pace)},
    "policy": {"order": _of(Order), "needs_listing": _of(bool)},
    "reward": {"needs": _needs, "range": _range},
    "trainer": {"needs_arena": _of(bool), "keeps_states": _of(bool)},
}
