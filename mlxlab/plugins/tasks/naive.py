"""The naive submission: one constant a target, the floor that a baseline score comes from."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

from mlxlab.core.task import Metric

DIGITS = 6


def constant(metric: Metric, values: Sequence[Any]) -> Any:
    """The best constant for a metric by training values alone.

    The majority label (the first in order among equals), the median for mae, the mean of
    log(1 + value) for rmsle, else the mean; numbers to 6 significant digits.
    """
    if not metric.numeric:
        counts = Counter(values)
        return min(counts, key=lambda label: (-counts[label], str(label)))
    numbers = [float(value) for value in values]
    name = metric.info.name
    if name == "mae":
        best = _median(numbers)
    elif name == "rmsle":
        best = math.expm1(_mean([math.log1p(max(number, 0.0)) for number in numbers]))
    else:
        best = _mean(numbers)
    return float(f"{best:.{DIGITS}g}")


def _mean(numbers: list[float]) -> float:
    return math.fsum(numbers) / len(numbers)


def _median(numbers: list[float]) -> float:
    middle = sorted(numbers)[(len(numbers) - 1) // 2 : len(numbers) // 2 + 1]
    return _mean(middle)
