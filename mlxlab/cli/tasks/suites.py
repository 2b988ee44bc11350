"""`mlx tasks list --suite NAME`: a suite's tasks, and which of them could be run now."""

from __future__ import annotations

from collections.abc import Sequence
from shlex import quote
from typing import Any

from rich.text import Text

from mlxlab.api.readiness import Readiness, Surveys
from mlxlab.cli.console import Console
from mlxlab.cli.table import Column, print_json, print_table
from mlxlab.cli.text import count, duration, plain
from mlxlab.core.errors import MlxError
from mlxlab.core.listed import suite_of
from mlxlab.core.registry import Registry
from mlxlab.core.spec import Spec
from mlxlab.core.suite import SuiteInfo, SuiteTask

COLUMNS = (
    Column("TASK"),
    Column("PART"),
    Column("SPEC", spare=2),
    Column("NOTE", spare=1),
    Column("STATE"),
)


def list_suite(text: str, as_json: bool) -> int:
    """Print a suite's tasks."""
    registry = Registry.installed()
    info, tasks = suite_of(registry, text)
    surveys = Surveys(registry)
    found = [(task, surveys.of(task)) for task in tasks]
    if as_json:
        print_json({**info.model_dump(), "tasks": [_object(*each) for each in found]})
        return 0
    console = Console(highlight=False)
    console.print(Text(plain(info.title), "bold"), soft_wrap=True)
    for line in _protocol(info):
        console.print(Text(plain(line), "dim"), soft_wrap=True)
    console.print()
    shared = _shared([ready for _, ready in found])
    rows = [
        [t.id, t.part, t.spec, t.note, "missing" if shared else _state(ready)] for t, ready in found
    ]
    columns = [i for i in range(len(COLUMNS)) if any(row[i] for row in rows)]
    print_table([COLUMNS[i] for i in columns], [[row[i] for i in columns] for row in rows])
    could = sum(ready.state == "ready" for _, ready in found)
    console.print()
    for line in [*([f"All of them: {shared}."] if shared else []), *_next(registry, found)]:
        console.print(Text(plain(line)), soft_wrap=True)
    console.print(f"{could} of {count(len(found), 'task')} ready.")
    return 0


def _protocol(info: SuiteInfo) -> list[str]:
    """Where the list comes from, and what it asks of a run."""
    asked = [
        f"scaffold {info.scaffold}" if info.scaffold else "",
        f"feedback {info.feedback}" if info.feedback else "",
        count(info.steps, "step") if info.steps else "",
        f"{duration(info.time_s)} a run" if info.time_s else "",
        f"{duration(info.exec_timeout_s)} an execution" if info.exec_timeout_s else "",
    ]
    told = ", ".join(filter(None, asked))
    return [f"source: {info.source}", *([f"protocol: {told}"] if told else [])]


def _shared(found: Sequence[Readiness]) -> str:
    """What all tasks lack alike, as where the repository is not there; else nothing."""
    lacks = {ready.missing for ready in found}
    return "; ".join(lacks.pop()) if len(found) > 1 and len(lacks) == 1 else ""


def _next(registry: Registry, found: Sequence[tuple[SuiteTask, Readiness]]) -> list[str]:
    """The commands that tell how to get what is missing."""
    specs = [Spec.parse(task.spec) for task, ready in found if ready.state == "missing"]
    told = {
        f"How to get it: mlx tasks import --from {spec.name} {quote(str(spec.options['repo']))}"
        + (f" --data {quote(str(spec.options['data']))}" if "data" in spec.options else "")
        for spec in specs
        if "repo" in spec.options and _surveyed(registry, spec)
    }
    return sorted(told)


def _surveyed(registry: Registry, spec: Spec) -> bool:
    """Whether `mlx tasks import` knows the source; not if it is not installed."""
    try:
        return hasattr(registry.load(registry.find("task", spec)), "survey")
    except MlxError:
        return False


def _state(readiness: Readiness) -> str:
    return "ready" if readiness.state == "ready" else "missing: " + "; ".join(readiness.missing)


def _object(task: SuiteTask, readiness: Readiness) -> dict[str, Any]:
    return {**task.model_dump(), **readiness._asdict()}
