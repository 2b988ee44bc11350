"""Tasks for tests: a fake, and the suite that every task can be put to."""

from mlxlab.testing.tasks.conformance import TaskConformance
from mlxlab.testing.tasks.toy import ToyTask, toy_task

__all__ = ["TaskConformance", "ToyTask", "toy_task"]
