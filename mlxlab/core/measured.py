"""Metrics as graders use them: a plugin's failure is its own, not the task's that asked for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, SupportsFloat

from mlxlab.core.boundary import Boundary, Late, foreign, whose
from mlxlab.core.errors import PluginError, broken
from mlxlab.core.registry import Component
from mlxlab.core.task import Metric, MetricInfo

_CALLS = ("score", "values", "of_means", "score_groups")
"""What metrics may be asked; see `Metric`, `MeanMetric` and `GroupedMetric`."""
_SCORES = ("score", "score_groups")


class MetricFailed(PluginError):
    """A metric raised; the text may quote answers, so no agent is told of it."""


class GuardedMetric:
    """A metric of a plugin, with those calls that it has.

    Args:
        made: the metric, and whose it is.
        info: what it states.
        numeric: whether it takes numbers.
    """

    score: Callable[..., float]

    def __init__(self, made: Component[Metric], info: MetricInfo, numeric: bool) -> None:
        self.info, self.numeric = info, numeric
        for name in _CALLS:
            if hasattr(made.instance, name):
                # On the object itself: which calls it has says what kind of metric it is.
                setattr(self, name, _guarded(whose(made.ref), name, getattr(made.instance, name)))


def measured(made: Component[Any]) -> Metric:
    """A metric that graders can go by; raises PluginError where it is none."""
    who = whose(made.ref)
    with Boundary(who, "its attributes"):
        if not isinstance(made.instance, Metric):
            raise PluginError(
                f"{who} is no metric: it has no info, no numeric, or no score.", owner=who
            )
        info: object = made.instance.info
        numeric: object = made.instance.numeric
    if not isinstance(info, MetricInfo):
        raise broken(who, "info", f"is {type(info).__name__}, no MetricInfo")
    if not isinstance(numeric, bool):
        raise broken(who, "numeric", f"is {type(numeric).__name__}, neither True nor False")
    return GuardedMetric(made, info, numeric) if foreign(who) else made.instance


def _guarded(who: str, what: str, call: Callable[..., Any]) -> Callable[..., Any]:
    def asked(*arguments: Any) -> Any:
        try:
            # A ValueError says what the metric needs of a submission, which is then malformed.
            with Boundary(who, what, passing=(ValueError,)):
                found = call(*arguments)
                if what in _SCORES and not isinstance(found, SupportsFloat):
                    raise TypeError(f"it returned {type(found).__name__}, no number")
                return float(found) if what in _SCORES else found
        except Late:
            raise
        except PluginError as error:
            raise MetricFailed(error.message, error.hint, owner=who, call=what) from error.__cause__

    return asked
