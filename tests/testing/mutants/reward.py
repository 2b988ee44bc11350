"""For each check of rewards a reward that breaks its promise, and what the check says of it."""

from __future__ import annotations

import itertools
import os
import random
from collections.abc import Callable
from math import inf, isfinite, nan
from pathlib import Path
from typing import Any

from mlxlab.core.records import RewardValue
from mlxlab.core.reward import Need, StepView
from mlxlab.core.task import TaskInfo


class Good:
    """1 for a better score than before, 0 for the same, -1 for a worse one."""

    needs: frozenset[Need] = frozenset({"probe"})
    range = (-1.0, 1.0)

    def judge(self, step: StepView, task: TaskInfo) -> RewardValue:
        score, before = scores(step, task)
        if score is None:
            return RewardValue(value=None, reason="no score")
        gain = score - before if task.metric.direction == "maximize" else before - score
        value = float((gain > 0) - (gain < 0))
        return RewardValue(value=value, reason=f"{before} to {score}", parts={"score": score})


def scores(step: StepView, task: TaskInfo) -> tuple[float | None, float]:
    seen = step.probe.score if step.probe else step.observation.public_score
    start = step.decision.score if step.decision.score is not None else task.m_init
    before = start if start is not None and isfinite(start) else 0.0
    return (seen if seen is not None and isfinite(seen) else None), before


class Changed(Good):
    """The value as a function of the step and of what it should be."""

    def __init__(self, change: Callable[[StepView, TaskInfo, RewardValue], Any]) -> None:
        self._change = change

    def judge(self, step: StepView, task: TaskInfo) -> RewardValue:
        changed: RewardValue = self._change(step, task, super().judge(step, task))
        return changed


def valued(change: Callable[[StepView, TaskInfo], float | None]) -> Changed:
    return Changed(lambda step, task, said: said.model_copy(update={"value": change(step, task)}))


def beside(effect: Callable[[StepView, TaskInfo], object]) -> Changed:
    """Judges well, and does something besides."""

    def judged(step: StepView, task: TaskInfo, said: RewardValue) -> RewardValue:
        effect(step, task)
        return said

    return Changed(judged)


def stated(**attributes: Any) -> Good:
    made = Good()
    vars(made).update(attributes)
    return made


def naming(step: StepView) -> str:
    assert step.action is not None
    return step.action.type


def strange(step: StepView, task: TaskInfo) -> None:
    if step.observation.status == "oom" and not task.boards and step.probe:
        raise ValueError("such a step")


def moving() -> Good:
    made = beside(lambda step, task: setattr(made, "range", (-2.0, 2.0)))
    return made


def counting() -> Changed:
    seen = itertools.count()
    return valued(lambda step, task: 1 / (1 + next(seen)))


def summing() -> Changed:
    """A running mean: the same step again is the same, after others it is not."""
    seen: list[int] = []

    def mean(step: StepView, task: TaskInfo) -> float:
        seen.extend([id(step)] if not seen or seen[-1] != id(step) else [])
        return 1 / len(seen)

    return valued(mean)


class Unordered(Good):
    """Takes the first of a set."""

    def judge(self, step: StepView, task: TaskInfo) -> RewardValue:
        judged = super().judge(step, task)
        words = " ".join({"gain", "loss", "score", "before", "after", "step", "best", "worst"})
        return judged.model_copy(update={"reason": words})


MUTANTS: dict[str, tuple[Callable[[], Any], str]] = {
    "range_is_stated": (lambda: stated(range=(1.0, nan)), "range holds nan"),
    "needs_are_stated": (lambda: stated(needs={"probe"}), "no frozenset"),
    "says_the_same_of_itself": (moving, "after judging"),
    "asks_for_the_boards_it_looks_at": (
        lambda: valued(lambda step, task: 0.1 * len(task.boards)),
        "boards make a difference",
    ),
    "returns_a_reward_value": (lambda: Changed(lambda *three: three[2].value), "returned"),
    "values_are_finite": (lambda: valued(lambda *_: nan), "is nan"),
    "values_lie_in_the_range": (lambda: valued(lambda *_: 1.5), "1.5 of run_code"),
    "gives_a_reason": (
        lambda: Changed(lambda *three: three[2].model_copy(update={"reason": " "})),
        "no reason is given",
    ),
    "has_something_to_say": (lambda: valued(lambda *_: None), "no honest step gets a value"),
    "is_read_back": (
        lambda: Changed(lambda *three: three[2].model_copy(update={"parts": {"gap": inf}})),
        "no finite numbers",
    ),
    "says_the_same_again": (counting, ", then "),
    "remembers_nothing": (summing, "by the order"),
    "is_the_same_elsewhere": (
        lambda: valued(lambda *_: float(os.environ["HOME"].endswith("elsewhere"))),
        "elsewhere for",
    ),
    "is_the_same_in_a_fresh_process": (Unordered, "in a fresh process for"),
    "looks_at_nothing_else": (
        lambda: beside(lambda *_: Path(os.devnull).read_bytes()),
        "open '/dev/null'",
    ),
    "changes_nothing_around_it": (
        lambda: beside(lambda *_: random.seed(3)),
        "changed the global random numbers",
    ),
    "leaves_its_arguments_alone": (
        lambda: beside(lambda step, _: step.decision.extra.update(judged=True)),
        "changed its arguments",
    ),
    "copes_with_any_duration": (
        lambda: beside(lambda step, _: 1 / step.observation.duration_s),
        "ZeroDivisionError",
    ),
    "copes_with_every_status": (
        lambda: beside(lambda step, _: ("ok", "error").index(step.observation.status)),
        "status timeout",
    ),
    "copes_with_every_action": (
        lambda: beside(lambda step, _: {"run_code": 1, "edit_file": 1}[naming(step)]),
        "KeyError: 'edit_script'",
    ),
    "copes_without_an_action": (lambda: beside(lambda step, _: naming(step)), "no action"),
    "copes_without_a_score_before": (
        lambda: beside(lambda step, _: 1 - step.decision.score),
        "TypeError",
    ),
    "copes_without_a_score_after": (
        lambda: beside(lambda step, _: 1 - step.observation.public_score),
        "TypeError",
    ),
    "copes_with_an_equal_score": (
        lambda: beside(
            lambda step, _: 1 / (step.observation.public_score - (step.decision.score or 0))
        ),
        "ZeroDivisionError",
    ),
    "copes_with_extreme_scores": (
        lambda: beside(lambda step, _: int(step.observation.public_score or 0)),
        "OverflowError",
    ),
    "copes_with_either_direction": (
        lambda: beside(lambda _, task: ("maximize",).index(task.metric.direction)),
        "(minimize)",
    ),
    "copes_without_m_init_and_m_best": (
        lambda: beside(lambda _, task: 1 / (task.m_best - task.m_init)),
        "TypeError",
    ),
    "copes_without_boards": (lambda: beside(lambda _, task: task.boards[0]), "IndexError"),
    "copes_without_a_probe": (
        lambda: beside(lambda step, _: step.action.type != "edit_file" or step.probe.score),
        "AttributeError: 'NoneType'",
    ),
    "copes_with_a_failed_probe": (
        lambda: beside(lambda step, _: step.probe and 1 - step.probe.score),
        "TypeError",
    ),
    "copes_with_whatever_was_printed": (
        lambda: beside(lambda step, _: step.observation.stdout.splitlines()[0]),
        "IndexError",
    ),
    "copes_with_anything": (lambda: beside(strange), "such a step"),
}
"""By the check's id, without the kind."""


def fewer_warnings(step: StepView, task: TaskInfo) -> float:
    """1 for a quiet program, and less for each warning, without an end."""
    return 1 - 0.1 * step.observation.stderr.count("Warning")


MORE: tuple[tuple[str, Callable[[], Any], str], ...] = (
    ("values_lie_in_the_range", lambda: valued(fewer_warnings), "printed"),
)
"""Other ways to break the same promises."""
