"""A request that no run has made, for policies that are tried on their own."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from mlxlab.core.policy import PolicyRequest, Sampling
from mlxlab.core.records import ComponentRef, Decision, Message
from mlxlab.core.registry import Registry
from mlxlab.core.task import MetricInfo, SubmissionContract, TaskInfo

TASK = TaskInfo(
    id="conformance",
    title="Nothing in particular",
    description="Predict y.",
    metric=MetricInfo(name="accuracy", direction="maximize"),
    submission=SubmissionContract(id_column="id", columns=("y",), rows=3),
    target=("y",),
    files=("train.csv", "test.csv", "sample_submission.csv"),
    train_rows=10,
    public_rows=0,
    private_rows=3,
    data_hash="0",
)


@lru_cache
def asked_by(scaffold: str) -> dict[str, Any]:
    """The fields of a scaffold's first request, at a task of one small table."""
    from mlxlab.testing.scaffolds.moments import draws, seen
    from mlxlab.testing.tasks import toy_task

    made = Registry.installed().create("scaffold", scaffold)
    task = toy_task().info
    tree = seen(task)
    choice = made.instance.propose(tree, draws(tree))
    assert isinstance(choice, Decision), f"the scaffold '{scaffold}' begins with {choice!r}"
    return {"decision": choice.model_copy(update={"scaffold": made.ref}), "task": task}


def neutral_request(*contents: str, **fields: Any) -> PolicyRequest:
    """A request of user messages; `fields` are PolicyRequest's, and come before them."""
    decision = Decision(
        step=0,
        operator="draft",
        scaffold=ComponentRef(kind="scaffold", name="conformance", spec="conformance"),
        task=TASK.id,
        data_hash=TASK.data_hash,
        sandbox="local",
        feedback="public",
        seed=0,
    )
    values: dict[str, Any] = {
        "messages": tuple(Message(role="user", content=content) for content in contents),
        "decision": decision,
        "task": TASK,
        "sampling": Sampling(max_tokens=64),
    }
    return PolicyRequest(**values | fields)
