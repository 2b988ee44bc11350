"""Which step a run hands in, and the copy of it that people take away."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from mlxlab.core.errors import RecordError
from mlxlab.core.manifest import Best
from mlxlab.core.states import StateStore
from mlxlab.core.task import MetricInfo, TaskInfo
from mlxlab.core.tree import Node


def best_node(metric: MetricInfo, nodes: Sequence[Node]) -> Node | None:
    """The best valid node by the score that is fed back, the earliest of equals.

    Where no score is fed back the latest valid node is taken, as an agent that knows nothing
    better than validity would hand in its last work.
    """
    best: tuple[float, Node] | None = None
    latest: Node | None = None
    for node in nodes:
        if not node.submitted:
            continue
        latest = node
        if node.score is not None and (best is None or metric.better(node.score, best[0])):
            best = node.score, node
    return best[1] if best else latest


def describe(node: Node | None) -> Best | None:
    """The manifest's entry for the selected node."""
    if node is None:
        return None
    return Best(step=node.id, score=node.score, public_score=node._public_score)


def keep_best(folder: Path, states: StateStore, task: TaskInfo, node: Node | None) -> None:
    """Copy the selected program and submission into `folder`; a pruned state leaves it empty."""
    if node is None or node.state is None:
        return
    try:
        files = states.manifest(node.state)
        for path in (task.entrypoint, task.submission.path):
            if path in files and files[path].kind == "file":
                target = folder / Path(path).name
                with states.open(files[path].sha256) as source, target.open("wb") as out:
                    shutil.copyfileobj(source, out)
    except RecordError:
        return
