"""One check for each promise of a kind of component: for pytest, and for `mlx plugins check`.

A suite is a class that a test module inherits from; what it promises are its `test_` methods, each
with a stable id and a docstring of one line that states the promise. Nothing here imports pytest.
"""

from mlxlab.testing.kit.checks import Check, Conformance, checks_of, in_order, waits_for
from mlxlab.testing.kit.running import Result, run_checks

__all__ = [
    "Check",
    "Conformance",
    "Result",
    "checks_of",
    "in_order",
    "run_checks",
    "waits_for",
]
