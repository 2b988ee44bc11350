"""Trees as the Runner would hand them to a scaffold, built from a few words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from mlxlab.core.actions import Action, RunCode
from mlxlab.core.records import (
    Completion,
    ComponentRef,
    Decision,
    Direction,
    Feedback,
    Limits,
    Observation,
    Step,
)
from mlxlab.core.sandbox import Packages
from mlxlab.core.task import MetricInfo, SubmissionContract, TaskInfo
from mlxlab.core.tree import Remaining, RunContext, TreeView

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PACKAGES = Packages(
    python="3.11.7",
    versions={"scikit-learn": "1.5.0", "numpy": "2.0.0", "pandas": "2.2.0"},
    cores=2,
    memory_bytes=8 << 30,
)


def task(direction: Direction = "maximize", **changes: Any) -> TaskInfo:
    values: dict[str, Any] = {
        "id": "toy",
        "title": "Will it rain?",
        "description": "Predict rain from pressure.",
        "metric": MetricInfo(name="accuracy", direction=direction, low=0.0, high=1.0),
        "submission": SubmissionContract(id_column="id", columns=("rain",), rows=50),
        "target": ("rain",),
        "files": ("train.csv", "test.csv"),
        "train_rows": 100,
        "public_rows": 25,
        "private_rows": 25,
        "data_hash": "0",
    }
    return TaskInfo(**(values | changes))


def context(feedback: Feedback = "public") -> RunContext:
    scaffold = ComponentRef(kind="scaffold", name="aide", spec="aide")
    return RunContext(
        scaffold=scaffold, sandbox="local", feedback=feedback, seed=0, limits=Limits(wall_s=60)
    )


def tree(
    steps: Sequence[Step] = (),
    *,
    direction: Direction = "maximize",
    feedback: Feedback = "public",
    in_flight: Sequence[Decision] = (),
    info: TaskInfo | None = None,
    next_step: int | None = None,
    left: int | None = 10,
    private: dict[int, float | None] | None = None,
) -> TreeView:
    return TreeView(
        info or task(direction),
        context(feedback),
        PACKAGES,
        steps,
        in_flight,
        Remaining(steps=left),
        len(steps) + len(in_flight) if next_step is None else next_step,
        private,
    )


def step(
    decision: Decision,
    status: str = "ok",
    score: float | None = None,
    *,
    action: Action | None = None,
    text: str = "",
    **seen: Any,
) -> Step:
    action = action or RunCode(code=f"x = {decision.step}", plan=f"Plan {decision.step}.")
    return Step(
        run_id="r",
        step=decision.step,
        parent=decision.parent,
        decision=decision,
        completion=Completion(text=text),
        action=None if status == "invalid_action" else action,
        state="clean",
        next_state=f"s{decision.step}",
        observation=Observation(status=status, public_score=score, **seen),
        started_at=NOW,
        ended_at=NOW,
    )
