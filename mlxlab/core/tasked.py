"""What a task says of itself and gives, checked: anybody may have written it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from pathlib import Path

from mlxlab.core.boundary import SLOW, Boundary, number_problem, whole
from mlxlab.core.errors import PluginError, broken
from mlxlab.core.task import Grade, Grader, Task, TaskInfo

_NUMBERS = ("baseline", "reference", "standard_error", "m_init", "m_best")


def info_of(who: str, task: Task) -> TaskInfo:
    """`task.info`; raises PluginError where it is none."""
    with Boundary(who, "info", times=SLOW):
        info: object = task.info
    if not isinstance(info, TaskInfo):
        raise broken(who, "info", f"is {type(info).__name__}, no TaskInfo")
    return info


def stated_info(who: str, task: Task) -> TaskInfo:
    """`task.info`; raises PluginError where it is none, or states what no run can go by."""
    info = info_of(who, task)
    with Boundary(who, "info"):
        info = whole(info)
    for name in _NUMBERS:
        value = getattr(info, name)
        if value is not None and (problem := number_problem(value)):
            raise _misstated(who, f"{name} {problem}")
    if (problem := number_problem(info.exec_timeout_s)) or info.exec_timeout_s <= 0:
        raise _misstated(who, f"exec_timeout_s {problem or 'is no time'}")
    if info.steps < 1:
        raise _misstated(who, f"steps is {info.steps}")
    return info


def _misstated(who: str, problem: str) -> PluginError:
    return PluginError(f"{who}: info.{problem}.", owner=who, call="info")


def found_grader(who: str, task: Task) -> Grader:
    """`task.grader()`; raises PluginError where it cannot grade."""
    with Boundary(who, "grader", times=SLOW):
        grader: object = task.grader()
    if problem := async_problem("grader", grader):
        raise broken(who, "grader", problem)
    if not isinstance(grader, Grader):
        raise broken(who, "grader", f"returned {type(grader).__name__}, which has no grade")
    return grader


def stated_hidden(who: str, task: Task) -> tuple[str, ...]:
    """`task.hidden`; raises PluginError where it names nothing that could be hidden."""
    with Boundary(who, "hidden"):
        hidden: object = task.hidden
    if not isinstance(hidden, tuple | list):
        raise broken(who, "hidden", f"is {type(hidden).__name__}, no tuple of texts")
    wrong = next((each for each in hidden if not isinstance(each, str)), "")
    if wrong != "":
        raise broken(who, "hidden", f"holds {wrong!r}, no text")
    return tuple(hidden)


def grade_problem(given: object) -> str:
    """What keeps what `grade` returned from being a verdict, in words; empty: nothing."""
    if isinstance(given, Grade):
        return ""
    return async_problem("grade", given) or f"returned {type(given).__name__}, no Grade"


def prepare_in(who: str, task: Task, folder: Path, *passing: type[Exception]) -> None:
    """`task.prepare(folder)`; raises PluginError where it fails or is async.

    Args:
        who: the task; see `boundary.whose`.
        task: the task.
        folder: where it writes its files.
        passing: errors that are let through.
    """
    prepare: Callable[[Path], object] = task.prepare
    with Boundary(who, "prepare", times=SLOW, passing=passing):
        found = prepare(folder)
    if problem := async_problem("prepare", found):
        raise broken(who, "prepare", problem)


def async_problem(name: str, given: object) -> str:
    """That a method is async which nobody waits for, in words; empty: it is not."""
    if not isinstance(given, Coroutine):
        return ""
    given.close()  # Python would say that nobody waited for it
    return f"is async, where def {name}(...) is meant"
