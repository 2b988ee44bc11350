"""What the episodes of one task and scaffold have in common."""

from __future__ import annotations

from dataclasses import dataclass

from mlxlab.core.boundary import whose
from mlxlab.core.records import ComponentRef, Feedback, Limits
from mlxlab.core.registry import Registry
from mlxlab.core.scaffold import Scaffold
from mlxlab.core.task import TaskInfo
from mlxlab.core.training.arena import Arena
from mlxlab.core.tree import RunContext

SANDBOX = "arena"
"""What stands for a sandbox in the decisions of episodes: the arena says which one it is."""


@dataclass(frozen=True)
class Setting:
    """A task as agents are told it, and the scaffold that works on it."""

    info: TaskInfo
    scaffold: Scaffold
    ref: ComponentRef

    @property
    def who(self) -> str:
        """The scaffold, to say whose fault a failure is."""
        return whose(self.ref)

    def context(self, seed: int) -> RunContext:
        """What the decisions of an episode have in common.

        The feedback is the one that `mlx run` takes by itself, and so is the time of an
        execution; there is no limit of time for all of them.
        """
        feedback: Feedback = "public" if self.info.has_public else "self"
        limits = Limits(wall_s=self.info.exec_timeout_s)
        return RunContext(
            scaffold=self.ref, sandbox=SANDBOX, feedback=feedback, seed=seed, limits=limits
        )


class Settings:
    """Settings by the specs of task and scaffold; each is made when it is first asked for."""

    def __init__(self, arena: Arena, registry: Registry | None = None) -> None:
        self._arena = arena
        self._registry = registry or Registry.installed()
        self._made: dict[tuple[str, str], Setting] = {}

    def of(self, task: str, scaffold: str) -> Setting:
        """The setting of a task and a scaffold; raises MlxError where one cannot be made."""
        if (task, scaffold) not in self._made:
            made = self._registry.create("scaffold", scaffold)
            self._made[task, scaffold] = Setting(self._arena.info(task), made.instance, made.ref)
        return self._made[task, scaffold]
