"""Tasks for tests: a fake."""

from mlxlab.testing.tasks.toy import ToyTask, toy_task

__all__ = ["ToyTask", "toy_task"]
