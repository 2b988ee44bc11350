"""A task, made twice and prepared twice, for a class of checks."""

from __future__ import annotations

import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from mlxlab.core.registry import Registry
from mlxlab.core.sandbox import Sandbox
from mlxlab.core.task import Grade, Grader, Task
from mlxlab.core.tasked import async_problem
from mlxlab.testing.kit import Conformance
from mlxlab.testing.kit.running import told
from mlxlab.testing.taskcheck.finding import Finding
from mlxlab.testing.taskcheck.subject import NoGrade, Subject

T = TypeVar("T")


class Harness(Conformance, ABC):
    """Makes tasks; what they wrote and said once serves every check that only reads it."""

    prefix: ClassVar[str] = "task"
    basics = ("info_is_read_back",)
    sandbox: ClassVar[str] = "local"
    """The spec of the sandbox that programs run in: the starter, and the search for answers."""
    declarable = ("sandbox", "look_s")

    _open: ClassVar[ExitStack]
    _subject: ClassVar[Subject | None] = None
    _grade: ClassVar[Grade | None] = None

    @classmethod
    @abstractmethod
    def make(cls) -> Task:
        """A new task."""

    @classmethod
    def make_sandbox(cls) -> Sandbox:
        """A new sandbox."""
        made: Sandbox = Registry.installed().create("sandbox", cls.sandbox).instance
        return made

    @classmethod
    def setup_class(cls) -> None:
        """Begin with nothing prepared."""
        cls._open, cls._subject, cls._grade = ExitStack(), None, None

    @classmethod
    def teardown_class(cls) -> None:
        """Remove what was prepared."""
        cls._open.close()
        cls._subject = cls._grade = None

    @classmethod
    def subject(cls) -> Subject:
        """The task with its public files, prepared by two instances."""
        if cls._subject is None:
            inputs, repeat, scratch = (cls.folder() for _ in range(3))
            task, again = called(cls.make), called(cls.make)
            called(task.prepare, inputs)
            called(again.prepare, repeat)
            grader: object = called(task.grader)
            kind = type(grader).__name__
            assert isinstance(grader, Grader), f"grader returned {kind}, which has no grade"
            cls._subject = Subject(
                task, again, task.info, inputs, repeat, grader, cls.make_sandbox, scratch
            )
        return cls._subject

    @classmethod
    def sample_grade(cls) -> Grade:
        """The verdict on the sample submission; on no bytes where there is none."""
        if cls._grade is None:
            subject = cls.subject()
            cls._grade = called(subject.grade, subject.sample or b"")
        return cls._grade

    @classmethod
    def folder(cls) -> Path:
        """An empty folder that goes when the checks have ended."""
        made = tempfile.TemporaryDirectory(prefix="mlx-conformance-")
        return Path(cls._open.enter_context(made))


def found(*findings: Finding) -> None:
    """Fail with the first finding that is a fault; what does not apply has no fault."""
    for finding in findings:
        assert finding.status != "fail", f"{finding.id}: {finding.message}"


def called(function: Callable[..., T], *arguments: Any) -> T:
    """What a task's method returns; an exception, or that it is async, is told by its name."""
    name = getattr(function, "__name__", "a method")
    try:
        found = function(*arguments)
    except NoGrade:
        raise
    except Exception as error:
        raise AssertionError(f"{name} raises {told(error)}") from error
    problem = async_problem(name, found)
    assert not problem, f"{name} {problem}"
    return found
