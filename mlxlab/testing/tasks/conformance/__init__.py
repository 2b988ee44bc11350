"""What every task must do, as checks that anybody's task can be put to."""

from __future__ import annotations

from mlxlab.testing.tasks.conformance.facts import Facts
from mlxlab.testing.tasks.conformance.grading import Grading
from mlxlab.testing.tasks.conformance.preparing import Preparing
from mlxlab.testing.tasks.conformance.proving import Proving


class TaskConformance(Facts, Preparing, Grading, Proving):
    """The whole suite: subclass it in a test module and say how a task is made.

    `mlx tasks check` proves the same of a task with more patience, and names each leak.
    """
