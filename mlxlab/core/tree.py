"""What a scaffold sees of a run: recorded steps, steps in flight, the task, what is left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from math import isfinite
from typing import Any

from pydantic import Field
from pydantic_core import PydanticSerializationError, to_json

from mlxlab.core.actions import TYPES
from mlxlab.core.near import did_you_mean
from mlxlab.core.records import (
    CLEAN,
    ComponentRef,
    Decision,
    Feedback,
    Limits,
    Observation,
    Record,
    Status,
    Step,
)
from mlxlab.core.sandbox import Packages
from mlxlab.core.task import MetricInfo, TaskInfo


class Remaining(Record):
    """What is left of the budget; None where there is no limit."""

    steps: int | None = None
    time_s: float | None = None
    cost_usd: float | None = None
    tokens: int | None = None


class RunContext(Record):
    """What every decision of a run has in common."""

    scaffold: ComponentRef
    sandbox: str = Field(description="The sandbox's spec.")
    feedback: Feedback = Field(description="Which score is fed back.")
    seed: int = Field(description="The run's.")
    limits: Limits = Field(description="Of one execution.")


class Node:
    """One recorded step as a node of the tree, with the score that the feedback mode allows."""

    def __init__(self, step: Step, feedback: Feedback, private: float | None) -> None:
        self.id = step.step
        """The step's number."""
        self.parent = step.parent
        """The number of the node that it grew from; None for a root."""
        self.operator = step.decision.operator
        """What the scaffold wanted done, in its own word."""
        self.action = step.action
        """What was read out of the answer; None where there was no action in it."""
        self.text = step.completion.text if step.completion else ""
        """The answer's text; empty where there was none."""
        self.state = step.next_state
        """The workspace that the step left, to be said as `start=`; None where it was not kept."""
        seen = step.observation
        score = {
            "public": seen.public_score,
            "self": seen.self_score,
            "private": private,
            "none": None,
        }[feedback]
        self.score = score if score is not None and isfinite(score) else None
        """The score that is fed back, in the metric's unit; None without one that is finite."""
        self._public_score = seen.public_score
        hidden = {"public_score": None} if feedback != "public" else {}
        self.observation: Observation = seen.model_copy(update=hidden)
        """What the agent may see of it; a public score under feedback "public" only."""
        self.status: Status = seen.status
        """How it ended."""
        runs = step.action is not None and step.action.type in {"run_code", "run_script"}
        self.submitted: bool = runs and seen.status == "ok"
        """Whether the step ran a program that left a valid submission."""


def best_scored(metric: MetricInfo, nodes: Sequence[Node]) -> Node | None:
    """The best of the nodes that handed in and have a score; the earliest of equals."""
    best: tuple[float, Node] | None = None
    for node in nodes:
        if not node.submitted or node.score is None:
            continue
        if best is None or metric.better(node.score, best[0]):
            best = node.score, node
    return best[1] if best else None


class TreeView:
    """A read-only view at one moment. Private scores are in it under feedback "private" only.

    Args:
        steps: recorded steps, or nodes made of them, in the order of their recording.
        in_flight: decisions whose step has not ended.
        private: private scores by step; given under feedback "private" only.
    """

    def __init__(
        self,
        task: TaskInfo,
        context: RunContext,
        packages: Packages,
        steps: Sequence[Step | Node] = (),
        in_flight: Sequence[Decision] = (),
        remaining: Remaining | None = None,
        next_step: int = 0,
        private: Mapping[int, float | None] | None = None,
    ) -> None:
        self.task = task
        """All that may be known of the task."""
        self.context = context
        """What `decide` writes into every decision."""
        self.packages = packages
        """What programs find in the sandbox."""
        self.in_flight = tuple(in_flight)
        """The decisions whose step has not ended: with several workers, what others are at."""
        self.remaining = remaining or Remaining()
        """What is left of the budget."""
        self._next_step = next_step
        scores = private or {}
        self.nodes = tuple(
            step if isinstance(step, Node) else Node(step, context.feedback, scores.get(step.step))
            for step in steps
        )
        """The recorded steps, in the order of their recording."""

    @cached_property
    def by_id(self) -> dict[int, Node]:
        """Nodes by step number."""
        return {node.id: node for node in self.nodes}

    def children(self, node: Node) -> list[Node]:
        """The recorded children of a node."""
        return [child for child in self.nodes if child.parent == node.id]

    def best(self) -> Node | None:
        """The best scored node that handed in; the earliest of equals."""
        return best_scored(self.task.metric, self.nodes)

    def decide(
        self,
        operator: str,
        parent: Node | None = None,
        *,
        start: str = CLEAN,
        allowed: tuple[str, ...] = ("run_code",),
        extra: dict[str, Any] | None = None,
    ) -> Decision:
        """A complete Decision: the scaffold's choice together with the run's context.

        Args:
            operator: what is to be done, in a word of yours such as draft or improve.
            parent: the node to grow; None for a new root.
            start: the workspace to start from: a `Node.state`, or the clean one.
            allowed: the types of `mlxlab.core.actions` that may be taken; another one is answered
                with the status `invalid_action`.
            extra: JSON of yours, which comes back as `decision.extra` in every method.

        Raises:
            TypeError: `parent` is no Node, or JSON cannot hold `extra`.
            ValueError: `allowed` names a type of action that there is not.
        """
        _refuse_unusable(parent, allowed, extra or {})
        context = self.context
        return Decision(
            step=self._next_step,
            operator=operator,
            parent=None if parent is None else parent.id,
            start=start,
            score=parent.score if parent and context.feedback == "public" else None,
            allowed=allowed,
            limits=context.limits,
            scaffold=context.scaffold,
            task=self.task.id,
            data_hash=self.task.data_hash,
            sandbox=context.sandbox,
            feedback=context.feedback,
            seed=context.seed,
            seen=len(self.nodes),
            pending=tuple(sorted(decision.step for decision in self.in_flight)),
            extra=extra or {},
        )


def _refuse_unusable(parent: object, allowed: object, extra: dict[str, Any]) -> None:
    """Refuse here, in the scaffold's own line, what would be told of much later."""
    if parent is not None and not isinstance(parent, Node):
        kind = type(parent).__name__
        raise TypeError(f"decide: parent is {kind}, no Node: tree.by_id has them by number")
    if not isinstance(allowed, tuple | list):
        raise TypeError(f"decide: allowed is {type(allowed).__name__}, no tuple of types of action")
    for name in allowed:
        if name not in TYPES:
            hint = did_you_mean(str(name), TYPES, f"There are: {', '.join(TYPES)}.")
            raise ValueError(f"decide: no action is of the type {name!r}. {hint}")
    try:
        to_json(extra, inf_nan_mode="constants")
    except PydanticSerializationError as error:
        raise TypeError(f"decide: extra is no JSON: {error}") from error
    except UnicodeError:  # half a character, as models write them: it is recorded without
        return
