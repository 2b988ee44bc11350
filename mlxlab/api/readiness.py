"""Which tasks of a suite could be run now, and what the others lack; no data is read."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, NamedTuple

from mlxlab.core.entries import Entry
from mlxlab.core.errors import MlxError
from mlxlab.core.listed import surveyed
from mlxlab.core.registry import Registry
from mlxlab.core.spec import Spec
from mlxlab.core.suite import SuiteTask
from mlxlab.core.survey import Survey, SurveyedTask


class Readiness(NamedTuple):
    """Whether a task can be run.

    Args:
        missing: what is not there, each in a few words.
        fetch: shell commands that get it, in order.
    """

    state: Literal["ready", "missing"]
    missing: tuple[str, ...] = ()
    fetch: tuple[str, ...] = ()


READY = Readiness("ready")


class Surveys:
    """Looks at each repository once, however many tasks lie in it."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._seen: dict[tuple[str, str, str | None], dict[str, SurveyedTask]] = {}

    def of(self, task: SuiteTask) -> Readiness:
        """A task's readiness; one whose source takes no survey is ready once it is installed."""
        spec = Spec.parse(task.spec)
        try:
            entry = self._registry.find("task", spec)
            look = getattr(self._registry.load(entry), "survey", None)
            if look is None:
                return READY
            found = self._surveyed(entry, look, spec).get(spec.argument or "")
        except MlxError as error:
            return Readiness("missing", (error.message.rstrip("."),))
        if found is None:
            return Readiness("missing", (f"{spec.options.get('repo')} has no {spec.argument}",))
        return Readiness(found.state, found.missing, found.fetch)

    def _surveyed(self, entry: Entry, look: Survey, spec: Spec) -> dict[str, SurveyedTask]:
        repo, data = str(spec.options.get("repo", "")), spec.options.get("data")
        key = (spec.name, repo, data)
        if key not in self._seen:
            place = Path(data).expanduser() if data else None
            found = surveyed(entry, look, Path(repo).expanduser(), place)
            self._seen[key] = {task.id: task for task in found.tasks}
        return self._seen[key]
