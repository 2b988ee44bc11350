"""Decisions of the recipe scaffold over made-up tasks, without a run."""

from __future__ import annotations

from random import Random
from typing import Any

from mlxlab.core.actions import Action, RunCode
from mlxlab.core.records import Completion, Decision
from mlxlab.core.task import MetricInfo, SubmissionContract, TaskInfo
from mlxlab.core.tree import TreeView
from mlxlab.scaffolds.recipe import RecipeConfig, RecipeScaffold
from tests.scaffolds.aide_trees import step, task, tree

BARE = RecipeScaffold(RecipeConfig(explain=False))
FILES = ("train.csv", "test.csv", "sample_submission.csv")


def info(metric: str = "auc", **changes: Any) -> TaskInfo:
    """A task from a naive 0.5 to a perfect 1; from 2 to 0 where lower is better."""
    lower = metric in {"rmse", "log_loss"}
    judged = MetricInfo(
        name=metric,
        direction="minimize" if lower else "maximize",
        low=0.0,
        high=None if lower else 1.0,
    )
    given = {"metric": judged, "files": FILES, "baseline": 2.0 if lower else 0.5}
    return task(**given | changes)


def spread(**changes: Any) -> TaskInfo:
    """A task that asks for the chance of each class."""
    due = SubmissionContract(id_column="id", columns=("dry", "wet"), rows=50)
    return info("log_loss", submission=due, **changes)


def decision(made: TaskInfo) -> Decision:
    """The first decision on a task."""
    found = BARE.propose(tree(info=made), Random(0))
    assert isinstance(found, Decision)
    return found


def action(made: TaskInfo, text: str) -> Action:
    """What a text says on a task."""
    read = BARE.parse(decision(made), Completion(text=text))
    assert isinstance(read, RunCode) or read.type == "read_file"
    return read


def grown(made: TaskInfo, *outcomes: tuple[str, str, float | None], left: int = 3) -> TreeView:
    """The tree after some recipes: each with its status and its score; "" is no action."""
    steps = []
    for number, (text, status, score) in enumerate(outcomes):
        taken = action(made, text) if text else None
        at = decision(made).model_copy(update={"step": number})
        steps.append(step(at, status, score, action=taken, text=text))
    return tree(steps, info=made, left=left)
