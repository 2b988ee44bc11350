"""A task as the environments of one process share it: made once, its answers loaded once."""

from __future__ import annotations

import threading
from functools import cached_property
from weakref import WeakValueDictionary

from mlxlab.core.boundary import whose
from mlxlab.core.components import task_spec
from mlxlab.core.planning import Ground
from mlxlab.core.records import ComponentRef
from mlxlab.core.registry import PYTHON, Registry
from mlxlab.core.task import Task, TaskInfo


class Subject:
    """A task, what it says of itself, and, from when it is needed, its files and its grader."""

    def __init__(self, task: Task, ref: ComponentRef) -> None:
        self.task = task
        self.ref = ref
        self._lock = threading.Lock()

    @cached_property
    def info(self) -> TaskInfo:
        """What spaces are made of; the data's preview is not in it."""
        return self.task.info

    @property
    def ground(self) -> Ground:
        """The public files, prepared, and the grader; raises TaskError."""
        with self._lock:
            return self._ground

    @cached_property
    def _ground(self) -> Ground:
        return Ground.of(self.task, owner=whose(self.ref))


_known: WeakValueDictionary[str, Subject] = WeakValueDictionary()
_making = threading.Lock()


def subject(text: str, registry: Registry) -> Subject:
    """The task of a spec; environments that live at the same time share it."""
    spec = task_spec(text, registry)
    with _making:
        known = _known.get(str(spec)) if spec.name != PYTHON else None
        if known is None:
            made = registry.create("task", spec)
            known = Subject(made.instance, made.ref)
            if spec.name != PYTHON:
                _known[str(spec)] = known
        return known
