"""The state that an episode on a task begins in, made without a run."""

from __future__ import annotations

from random import Random

from mlxlab.core.errors import UsageError
from mlxlab.core.records import Decision, Limits
from mlxlab.core.registry import Component
from mlxlab.core.sandbox import Packages
from mlxlab.core.scaffold import Scaffold
from mlxlab.core.training.arena import Arena
from mlxlab.core.training.states import State
from mlxlab.core.tree import RunContext, TreeView

NOTHING = Packages(python="", versions={}, cores=1, memory_bytes=0)
"""No prompt is made of these states, so nobody is told what the sandbox holds."""


def root(task: str, scaffold: Component[Scaffold], sandbox: str, arena: Arena) -> State:
    """A task's first decision, for actions whose prompt does not matter.

    Raises:
        TaskError: the task cannot be used.
        UsageError: the scaffold decides nothing at the beginning.
    """
    info = arena.info(task)
    context = RunContext(
        scaffold=scaffold.ref,
        sandbox=sandbox,
        feedback="public" if info.has_public else "self",
        seed=0,
        limits=Limits(wall_s=info.exec_timeout_s),
    )
    decision = scaffold.instance.propose(TreeView(info, context, NOTHING), Random("root"))
    if not isinstance(decision, Decision):
        raise UsageError(f"Scaffold '{scaffold.ref.name}' begins {task} with no decision.")
    return State(id=f"{task}/root", task=task, info=info, decision=decision, said=())
