"""Lists of tasks, as suites and surveys give them, checked: anybody may have written them."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from mlxlab.core.boundary import SLOW, Boundary, whole, whose
from mlxlab.core.entries import Entry
from mlxlab.core.errors import PluginError, broken
from mlxlab.core.loading import whose_entry
from mlxlab.core.records import Record
from mlxlab.core.registry import Registry
from mlxlab.core.suite import Suite, SuiteInfo, SuiteTask
from mlxlab.core.survey import Survey, Surveyed
from mlxlab.core.watch import watching

R = TypeVar("R", bound=Record)


def suite_of(registry: Registry, spec: str) -> tuple[SuiteInfo, tuple[SuiteTask, ...]]:
    """What a suite says of itself, and its tasks.

    Raises:
        UsageError, TaskError: there is no such suite, or not with these options.
        PluginError: the suite's own code failed, or it is none.
    """
    made = registry.create("suite", spec)
    who = whose(made.ref)
    with watching(), Boundary(who, "tasks", times=SLOW):
        if not isinstance(made.instance, Suite):
            raise PluginError(f"{who} is no suite: it has no info, or no tasks.", owner=who)
        info: object = made.instance.info
        tasks: object = made.instance.tasks()
    if not isinstance(tasks, tuple | list):
        raise broken(who, "tasks", f"returned {type(tasks).__name__}, no tuple of SuiteTask")
    return _whole(who, "info", info, SuiteInfo), tuple(
        _whole(who, "tasks", task, SuiteTask) for task in tasks
    )


def surveyed(entry: Entry, look: Survey, repo: Path, data: Path | None) -> Surveyed:
    """What a survey finds in a repository.

    Args:
        entry: whose survey it is.
        look: the survey; see `Survey`.
        repo: the repository.
        data: where prepared data lies; None for where the repository puts it.

    Raises:
        TaskError: the folder is not what the source takes.
        PluginError: the survey failed, or returned something else.
    """
    who = whose_entry(entry)
    with watching(), Boundary(who, "survey", times=SLOW):
        found: object = look(repo, data)
    return _whole(who, "survey", found, Surveyed)


def _whole(who: str, what: str, found: object, kind: type[R]) -> R:
    """A record of the kind that was asked for, as its type says."""
    if not isinstance(found, kind):
        raise broken(who, what, f"returned {type(found).__name__}, no {kind.__name__}")
    with Boundary(who, what):
        return whole(found)
