"""Steps of every sort, as the Environment would hand them to a reward: the same each time."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import product
from random import Random
from typing import Any, NamedTuple, get_args

from mlxlab.core.actions import (
    Action,
    CopyFile,
    CustomAction,
    EditFile,
    EditScript,
    FinalAnswer,
    ListFiles,
    ReadFile,
    RequestInfo,
    RunCode,
    RunScript,
    UnderstandFile,
    Validate,
)
from mlxlab.core.records import ComponentRef, Decision, Observation, Probe, Status
from mlxlab.core.reward import StepView
from mlxlab.core.task import Board, MetricInfo, SubmissionContract, TaskInfo

ACTIONS: tuple[Action, ...] = (
    RunCode(code="x = 1", plan="A plan."),
    EditFile(path="solution.py", content="x = 1"),
    EditScript(path="solution.py", instruction="Do it.", save_path="solution.py"),
    CopyFile(source="a", destination="b"),
    UnderstandFile(path="a", question="What?"),
    RunScript(path="solution.py"),
    ReadFile(path="a"),
    ListFiles(),
    Validate(),
    RequestInfo(),
    CustomAction(name="example"),
    FinalAnswer(),
)
STATUSES: tuple[Status, ...] = get_args(Status)
EXTREME = (0.0, -0.0, 5e-324, -1e308, 1e308, float("inf"), float("-inf"), float("nan"))
"""Scores that no sound task has, but that a record can hold."""
DURATIONS = (0.0, 5e-324, 1e-9, 0.5, 86_400.0 * 30)
"""Seconds of an execution, as a clock that is coarse and a sandbox that is patient tell them."""
BOARDS = (
    Board(name="public", kind="human", scores=(0.95, 0.9, 0.8, 0.8, 0.2)),
    Board(name="private", kind="human", scores=(0.96, 0.7)),
    Board(name="pipelines", kind="model", scores=(0.9,)),
)


_WARNING = "train.py:12: UserWarning: Precision is ill-defined.\n  warnings.warn(message)\n"
_TRACEBACK = (
    'Traceback (most recent call last):\n  File "train.py", line 3, in <module>\n'
    "ValueError: could not convert string to float: 'n/a'\n"
)
PRINTED: tuple[tuple[str, str], ...] = (
    ("", ""),
    ("x" * 200_000, ""),
    ("epoch 1 loss 0.5\n" * 2000, _WARNING),
    ("0.5\n", _WARNING * 500),
    ("", _TRACEBACK),
    ("error\nwarning\n", _TRACEBACK * 50),
    ("\x00\x1b[31m\ud800 \r\n" * 20, "\x00\x1b[31m\ud800 \r\n" * 20),
    (" \n\n", " \n\n"),
)
"""What programs print, on stdout and on stderr: nothing, little, much, and what is no text."""


class Case(NamedTuple):
    """A step with the task that it was taken on."""

    step: StepView
    task: TaskInfo


def task(**changes: Any) -> TaskInfo:
    """A task with all that rewards are made of: m_init, m_best, a baseline, boards."""
    given: dict[str, Any] = {
        "id": "example",
        "title": "An example",
        "description": "Predict y.",
        "metric": MetricInfo(name="score", direction="maximize", low=0.0, high=1.0),
        "submission": SubmissionContract(id_column="id", columns=("y",), rows=8),
        "target": ("y",),
        "files": ("train.csv", "test.csv"),
        "train_rows": 8,
        "public_rows": 4,
        "private_rows": 4,
        "baseline": 0.2,
        "reference": 0.9,
        "m_init": 0.25,
        "m_best": 0.9,
        "boards": BOARDS,
        "data_hash": "0" * 64,
    }
    return TaskInfo(**given | changes)


LOWER = MetricInfo(name="error", direction="minimize", low=0.0)
TASKS = {
    "higher is better": task(),
    "lower is better": task(metric=LOWER, baseline=3.0, reference=0.1, m_init=3.0, m_best=0.1),
    "no m_init and no m_best": task(m_init=None, m_best=None, m_reason="nobody measured them"),
    "no gap": task(m_init=0.5, m_best=0.5),
    "no boards": task(boards=()),
    "an empty board": task(boards=(Board(kind="human", scores=()),)),
    "no public rows": task(public_rows=0, private_rows=8),
    "nothing but a metric": task(
        **dict.fromkeys(("baseline", "reference", "m_init", "m_best")), boards=()
    ),
}


def view(
    action: Action | None,
    status: Status = "ok",
    score: float | None = None,
    before: float | None = None,
    probe: Probe | None = None,
    printed: tuple[str, str] = ("said", ""),
    duration_s: float = 0.5,
) -> StepView:
    """A step; `before` is m_t, `printed` are stdout and stderr."""
    decision = Decision(
        step=3,
        operator="improve",
        parent=1,
        score=before,
        scaffold=ComponentRef(kind="scaffold", name="example", spec="example"),
        task="example",
        data_hash="0" * 64,
        sandbox="local",
        feedback="public",
        seed=0,
        extra={"note": ["kept"]},
    )
    out, err = printed
    seen = Observation(
        status=status, public_score=score, stdout=out, stderr=err, duration_s=duration_s
    )
    return StepView(decision=decision, action=action, observation=seen, probe=probe)


@cache
def ordinary() -> tuple[Case, ...]:
    """What honest runs are made of, on tasks of both directions that lack nothing."""
    found = []
    for info in (TASKS["higher is better"], TASKS["lower is better"]):
        for action, status in product((*ACTIONS, None), STATUSES):
            fits = status == "invalid_action" if action is None else True
            scores: tuple[float | None, ...] = (
                (0.3, 0.5, 0.85) if _graded(action, status) else (None,)
            )
            for score, before in product(scores, (None, 0.5) if fits else ()):
                found.append(Case(view(action, status, score, before), info))
        found += [Case(step, info) for step in _probed()]
    return tuple(found)


@cache
def loud() -> tuple[Case, ...]:
    """Programs that print much, warn often or end in a traceback, scored and not."""
    info, run = TASKS["higher is better"], ACTIONS[0]
    ends: tuple[tuple[Status, float | None], ...] = (
        ("ok", 0.3),
        ("ok", 0.85),
        ("ok", None),
        ("error", None),
    )
    return tuple(
        Case(view(run, status, score, before, printed=printed), info)
        for printed in PRINTED
        for status, score in ends
        for before in (None, 0.5)
    )


@cache
def wide(count: int = 600) -> tuple[Case, ...]:
    """Every sort of step on every sort of task, sense or not, drawn from one seed."""
    draw = Random(0)
    tasks = list(TASKS.values())
    scores = (None, None, 0.0, 0.25, 0.5, 0.9, 1.0, *EXTREME)
    found = []
    for _ in range(count):
        probe = Probe(status=draw.choice(STATUSES), score=draw.choice(scores))
        step = view(
            draw.choice((*ACTIONS, None)),
            draw.choice(STATUSES),
            draw.choice(scores),
            draw.choice(scores),
            draw.choice((None, probe)),
        )
        found.append(Case(step, draw.choice(tasks)))
    return tuple(found)


def _graded(action: Action | None, status: Status) -> bool:
    return action is not None and action.type in {"run_code", "run_script"} and status == "ok"


def _probed() -> Iterator[StepView]:
    for action in ACTIONS[1:3]:
        for status in STATUSES:
            score = 0.6 if status == "ok" else None
            yield view(action, "ok", before=0.5, probe=Probe(status=status, score=score))
