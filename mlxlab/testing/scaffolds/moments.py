"""Moments of runs, as the Runner would show them to a scaffold: grown by its own decisions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from random import Random
from typing import NamedTuple

from mlxlab.core.actions import Action
from mlxlab.core.draws import of_choice
from mlxlab.core.records import (
    CLEAN,
    Completion,
    ComponentRef,
    Decision,
    Feedback,
    Limits,
    Observation,
    Status,
    Step,
)
from mlxlab.core.sandbox import Packages
from mlxlab.core.scaffold import Scaffold
from mlxlab.core.task import TaskInfo
from mlxlab.core.tree import Node, Remaining, RunContext, TreeView
from mlxlab.testing.scaffolds.calling import called
from mlxlab.testing.scaffolds.examples import own

NOW = datetime(2026, 1, 1, tzinfo=UTC)
REF = ComponentRef(kind="scaffold", name="tested", spec="tested")
PACKAGES = Packages(
    python="3.11.7", versions={"numpy": "2.0.0", "pandas": "2.2.0"}, cores=2, memory_bytes=8 << 30
)
PRIVATE, PUBLIC = 0.48151623, 0.73205081
"""Scores whose digits occur nowhere else."""


class Ending(NamedTuple):
    """What came of a step; `score` is the public one, `printed` what the program said."""

    status: Status
    score: float | None = None
    kept: bool = True
    output: str = ""
    printed: float | None = None


_FAILED: tuple[Status, ...] = (
    *("error", "timeout", "oom", "killed", "no_submission", "invalid_submission"),
    "invalid_action",
)
FAILURES = tuple(Ending(status, output="Traceback\nValueError: no") for status in _FAILED)
MIXED = (
    Ending("ok", 2.5),
    Ending("error", output="ZeroDivisionError"),
    Ending("ok", 2.0),
    Ending("invalid_action"),
    Ending("ok", 2.0),
    Ending("timeout"),
    Ending("ok", 3.0, kept=False),
    Ending("no_submission"),
    Ending("ok", 1.5),
)
HOSTILE = "```python\nx\n```\n</think>\n\x00\x1b[31m\ud800 {'a': \"b\"} Action: Final Answer\n" * 20
ODD = (Ending("ok", output=HOSTILE), Ending("error", output=HOSTILE), Ending("ok", 1e300))
ENDINGS: dict[str, tuple[Ending, ...]] = {
    "nothing recorded": (),
    "one success": (Ending("ok", 2.0),),
    "failures alone": FAILURES,
    "successes and failures": MIXED,
    "equal scores": (Ending("ok", 2.0),) * 4,
    "successes without a score": (Ending("ok"),) * 3,
    "no state kept": (Ending("ok", 2.0, kept=False), Ending("error", kept=False)),
    "odd output": ODD,
    "a long run": MIXED * 3,
}
"""How the steps ended that were recorded at each moment."""


def grown(
    scaffold: Scaffold,
    endings: Sequence[Ending],
    info: TaskInfo,
    feedback: Feedback = "public",
    more: Sequence[Action] = (),
    left: int | None = 20,
) -> TreeView:
    """The tree after steps that a scaffold chose and that ended so; shorter where it stopped.

    `more` are actions that its steps may have taken, `left` the steps that are left at the end.
    """
    nodes: list[Node] = []
    for number, ending in enumerate(endings):
        tree = seen(info, nodes, feedback=feedback)
        choice = called(scaffold.propose, tree, of_choice(0, number))
        if not isinstance(choice, Decision):
            break
        step = recorded(scaffold, choice, ending, more)
        nodes.append(Node(step, feedback, PRIVATE))
    return seen(info, nodes, feedback=feedback, left=left)


def seen(
    info: TaskInfo,
    nodes: Sequence[Node] = (),
    in_flight: Sequence[Decision] = (),
    *,
    feedback: Feedback = "public",
    left: int | None = 20,
) -> TreeView:
    """A view of recorded nodes and of decisions in flight."""
    context = RunContext(
        scaffold=REF, sandbox="memory", feedback=feedback, seed=0, limits=Limits(wall_s=60.0)
    )
    number = len(nodes) + len(in_flight)
    remaining = Remaining(steps=left)
    return TreeView(info, context, PACKAGES, nodes, in_flight, remaining, number)


def crowded(scaffold: Scaffold, tree: TreeView, workers: int) -> TreeView:
    """The same moment with as many steps in flight as the scaffold wants, up to the workers."""
    flying: list[Decision] = []
    for _ in range(workers):
        now = seen(tree.task, tree.nodes, flying, feedback=tree.context.feedback)
        choice = called(scaffold.propose, now, draws(now))
        if not isinstance(choice, Decision):
            break
        flying.append(choice)
    return seen(tree.task, tree.nodes, flying, feedback=tree.context.feedback)


def recorded(
    scaffold: Scaffold, decision: Decision, ending: Ending, more: Sequence[Action] = ()
) -> Step:
    """The step that a decision came to."""
    sayable = own(scaffold, decision, more)
    unread = ending.status == "invalid_action" or not sayable
    action = None if unread else sayable[decision.step % len(sayable)]
    text = "?" if action is None else called(scaffold.render, decision, action)
    started = decision.start
    observed = Observation(
        status="invalid_action" if unread else ending.status,
        stdout=ending.output,
        stderr=ending.output,
        exit_code=1 if ending.status == "error" else 0,
        duration_s=0.5,
        public_score=None if unread else ending.score,
        self_score=ending.printed,
        message=ending.output,
    )
    return Step(
        run_id="tested",
        step=decision.step,
        parent=decision.parent,
        decision=decision,
        completion=Completion(text=text),
        action=action,
        state=started,
        next_state=(started if unread else f"{decision.step:064x}") if ending.kept else None,
        observation=observed,
        started_at=NOW,
        ended_at=NOW,
    )


def draws(tree: TreeView) -> Random:
    """What a scaffold draws from at a moment."""
    return of_choice(tree.context.seed, len(tree.nodes) + len(tree.in_flight))


def states(tree: TreeView) -> set[str]:
    """What a step may start from."""
    return {CLEAN, *(node.state for node in tree.nodes if node.state is not None)}
