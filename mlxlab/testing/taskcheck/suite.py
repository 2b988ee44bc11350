"""All checks of a task, one after the other."""

from __future__ import annotations

import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from mlxlab.core.errors import MlxError
from mlxlab.core.places import package_of, place_in
from mlxlab.core.sandbox import Sandbox
from mlxlab.core.task import Task
from mlxlab.core.tasked import found_grader, info_of, prepare_in
from mlxlab.testing.taskcheck import facts, grades, leaks, rows, running
from mlxlab.testing.taskcheck.finding import Finding, failed
from mlxlab.testing.taskcheck.subject import NoGrade, Subject

CHECKS: dict[str, Callable[[Subject], Finding | list[Finding]]] = {
    "files-repeat": facts.files_repeat,
    "info-stable": facts.info_stable,
    "info-complete": facts.info_complete,
    "sample-valid": grades.sample_valid,
    "oracle": grades.oracle,
    "malformed-refused": grades.malformed_refused,
    "starter-runs": running.starter_runs,
    "rows": rows.of_rows,
    "no-answers": leaks.no_leaks,
}
"""Every check; the last two make several findings each."""


def check_task(
    make: Callable[[], Task], sandbox: Callable[[], Sandbox], who: str = "the task"
) -> Iterator[Finding]:
    """Check a task; yields each finding when it is there.

    A grader that returns no verdict ends it: all that follows, a long search too, would meet that.

    Args:
        make: makes the task anew; called twice.
        sandbox: makes the sandbox that the starter and the search for answers run in.
        who: the task; see `boundary.whose`.

    Raises:
        PluginError: what the task states or gives is of another type, or cannot be had.
        MlxError: the task cannot be made, or the sandbox cannot be had, so nothing is proven.
    """
    with _subject(make, sandbox, who) as subject:
        for name, check in CHECKS.items():
            began = time.monotonic()
            found, ended = _guarded(name, check, subject)
            spent = (time.monotonic() - began) / len(found)
            yield from (f.model_copy(update={"seconds": round(spent, 2)}) for f in found)
            if ended:
                return


def _guarded(
    name: str, check: Callable[[Subject], Finding | list[Finding]], subject: Subject
) -> tuple[list[Finding], bool]:
    """A check's findings, and whether there was no grade; what the task's code raises is one."""
    try:
        found = check(subject)
    except MlxError:
        raise
    except NoGrade as error:
        return [failed(name, f"{error}.")], True
    except Exception as error:
        cause = traceback.format_exception_only(error)[-1].strip()
        own = package_of(type(subject.task).__module__)
        place = place_in(error, own) if own else ""
        at = f" (at {place})" if place else ""
        return [failed(name, f"The task raises an exception: {cause}.{at}")], False
    return (found if isinstance(found, list) else [found]), False


@contextmanager
def _subject(
    make: Callable[[], Task], sandbox: Callable[[], Sandbox], who: str
) -> Iterator[Subject]:
    with tempfile.TemporaryDirectory(prefix="mlx-check-") as name:
        root = Path(name)
        folders = [root / part for part in ("inputs", "repeat", "scratch")]
        for folder in folders:
            folder.mkdir()
        task, again = make(), make()
        info = info_of(who, task)
        for each, folder in ((task, folders[0]), (again, folders[1])):
            prepare_in(who, each, folder)
        yield Subject(
            task=task,
            again=again,
            info=info,
            inputs=folders[0],
            repeat=folders[1],
            grader=found_grader(who, task),
            sandbox=sandbox,
            scratch=folders[2],
        )
