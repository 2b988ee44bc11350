"""What the episodes of one task and scaffold have in common, made once."""

from __future__ import annotations

from dataclasses import dataclass

from mlxlab.core.components import task_spec
from mlxlab.core.planning import Ground
from mlxlab.core.records import ComponentRef, Feedback, Limits
from mlxlab.core.registry import Registry
from mlxlab.core.scaffold import Scaffold
from mlxlab.core.task import TaskInfo
from mlxlab.core.tree import RunContext


@dataclass(frozen=True)
class Setting:
    """A task as agents are told it, and the scaffold that works on it."""

    task: str
    info: TaskInfo
    scaffold: Scaffold
    ref: ComponentRef

    def context(self, sandbox: str, seed: int) -> RunContext:
        """What the decisions of an episode have in common.

        The feedback is the one that `mlx run` takes by itself, and so is the time of an
        execution; there is no limit of time for all of them.
        """
        feedback: Feedback = "public" if self.info.has_public else "self"
        limits = Limits(wall_s=self.info.exec_timeout_s)
        return RunContext(
            scaffold=self.ref, sandbox=sandbox, feedback=feedback, seed=seed, limits=limits
        )


class Settings:
    """Tasks and scaffolds by their specs; each is made when it is first asked for."""

    def __init__(self, registry: Registry | None = None) -> None:
        self._registry = registry or Registry.installed()
        self._made: dict[tuple[str, str], Setting] = {}
        self._infos: dict[str, TaskInfo] = {}

    def of(self, task: str, scaffold: str) -> Setting:
        """The setting of a task and a scaffold; raises MlxError where one cannot be made."""
        if (task, scaffold) not in self._made:
            made = self._registry.create("scaffold", scaffold)
            self._made[task, scaffold] = Setting(task, self.info(task), made.instance, made.ref)
        return self._made[task, scaffold]

    def info(self, task: str) -> TaskInfo:
        """What agents are told of a task."""
        if task not in self._infos:
            made = self._registry.create("task", task_spec(task, self._registry))
            self._infos[task] = Ground.of(made.instance).info
        return self._infos[task]
