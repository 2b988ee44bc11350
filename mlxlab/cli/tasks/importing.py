"""`mlx tasks import`: what of another benchmark lies on this disk, and how to get the rest."""

from __future__ import annotations

import json
from pathlib import Path
from shlex import quote

from rich.text import Text

from mlxlab.cli.console import Console
from mlxlab.cli.table import print_json
from mlxlab.cli.text import plain
from mlxlab.core.entries import Entry, of_kind
from mlxlab.core.errors import PluginError, UsageError
from mlxlab.core.listed import surveyed
from mlxlab.core.registry import Registry
from mlxlab.core.spec import Spec
from mlxlab.core.survey import Survey, Surveyed, SurveyedTask


def import_tasks(source: str, folder: str, data: str | None, as_json: bool) -> int:
    """Print every task of a peer's repository: ready, or missing what."""
    entry, survey = _survey(source, Registry.installed())
    place = None if data is None else Path(data).expanduser().absolute()
    found = surveyed(entry, survey, Path(folder).expanduser().absolute(), place)
    if as_json:
        print_json(json.loads(found.model_dump_json()))
        return 0
    _told(found)
    return 0


def _survey(source: str, registry: Registry) -> tuple[Entry, Survey]:
    """The survey of a task's class, and whose it is; raises UsageError where it has none."""
    entry = registry.find("task", Spec(name=source))
    survey: Survey | None = getattr(registry.load(entry), "survey", None)
    if survey is None:
        raise UsageError(
            f"The task '{source}' is not one that reads another benchmark's files.",
            f"Those that do: {', '.join(_with_survey(registry))}.",
        )
    return entry, survey


def _with_survey(registry: Registry) -> list[str]:
    names = set()
    for entry in of_kind(registry.entries, "task"):
        try:
            if hasattr(registry.load(entry), "survey"):
                names.add(entry.name)
        except PluginError:
            continue
    return sorted(names)


def _told(found: Surveyed) -> None:
    console = Console(highlight=False)
    ready = [task for task in found.tasks if task.state == "ready"]
    missing = [task for task in found.tasks if task.state == "missing"]
    console.print(Text(f"Ready: {len(ready)} of {len(found.tasks)}", "bold"), soft_wrap=True)
    for task in ready:
        _line(console, task, f"mlx run --task {quote(task.spec)}")
    if missing:
        console.print(Text(f"\nMissing: {len(missing)}", "bold"), soft_wrap=True)
    for task in missing:
        _line(console, task, "; ".join(task.missing))
        for command in task.fetch:
            console.print(Text(f"      $ {plain(command)}", "dim"), soft_wrap=True)
    for note in found.notes:
        console.print(Text(f"\n{plain(note)}"), soft_wrap=True)


def _line(console: Console, task: SurveyedTask, said: str) -> None:
    line = Text.assemble("  ", (plain(task.id), "green" if task.state == "ready" else ""), "  ")
    line.append(plain(said))
    if task.note:
        line.append(f"  ({plain(task.note)})", "dim")
    console.print(line, soft_wrap=True)
