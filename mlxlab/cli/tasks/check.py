"""`mlx tasks check`: one line for each check, as soon as it is known."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from rich.text import Text

from mlxlab.cli.console import Console
from mlxlab.cli.failure import debug, line_of
from mlxlab.cli.table import print_json
from mlxlab.cli.tasks.making import maker, needs
from mlxlab.cli.text import count, plain
from mlxlab.core.components import made, task_spec
from mlxlab.core.errors import MlxError, PluginError, UsageError
from mlxlab.core.guarded import GuardedSandbox
from mlxlab.core.loading import whose_entry
from mlxlab.core.registry import Registry
from mlxlab.core.sandbox import Sandbox
from mlxlab.core.spec import Spec
from mlxlab.testing.taskcheck import Finding, check_task
from mlxlab.testing.taskcheck.finding import failed

MARKS = {
    "pass": ("ok    ", "green"),
    "warn": ("look  ", "yellow"),
    "fail": ("FAILED", "bold red"),
    "skip": ("-     ", "dim"),
}
ID_WIDTH = 21


def check_tasks(names: list[str], every: bool, sandbox: str, as_json: bool) -> int:
    """Check tasks one after the other; status 1 if one of them is not sound."""
    registry = Registry.installed()
    if every == bool(names):
        raise UsageError(
            "Name the tasks to check, or say --all.", "Example: mlx tasks check flights"
        )
    chosen = [*_all(registry)] if every else names
    makers = {name: maker(name, registry) for name in chosen}
    make_sandbox = _sandboxes(registry, sandbox)
    make_sandbox()  # a wrong word costs no time
    results: dict[str, list[Finding]] = {}
    for name, make in makers.items():
        who = whose_entry(registry.find("task", task_spec(name, registry)))
        found = _whole(check_task(make, make_sandbox, who))
        results[name] = list(found) if as_json else _told(name, found)
    bad = [name for name, found in results.items() if not sound(found)]
    if as_json:
        print_json(
            {"sandbox": sandbox, "ok": not bad, "tasks": list(map(_object, *_both(results)))}
        )
    else:
        _closing(results, bad)
    return 1 if bad else 0


def _sandboxes(registry: Registry, spec: str) -> Callable[[], Sandbox]:
    """How to make a sandbox whose failures are its own and no task's."""
    return lambda: GuardedSandbox(made(registry, "sandbox", spec))


def _whole(found: Iterator[Finding]) -> Iterator[Finding]:
    """The findings; code of a component's that fails ends this task's, and no other's."""
    try:
        yield from found
    except Exception as error:
        if isinstance(error, MlxError) and not isinstance(error, PluginError):
            raise
        debug(error)
        yield failed("can-be-checked", line_of(error))


def sound(found: Iterable[Finding]) -> bool:
    """Whether no check failed."""
    return all(finding.status != "fail" for finding in found)


def _all(registry: Registry) -> Iterable[str]:
    """Every task that can be made without being told more."""
    for name in registry.names("task"):
        if not needs(registry.find("task", Spec(name=name)), registry):
            yield name


def _told(name: str, findings: Iterable[Finding]) -> list[Finding]:
    console = Console(highlight=False)
    console.print(Text(plain(name), "bold"), soft_wrap=True)
    kept = []
    for finding in findings:
        kept.append(finding)
        mark, style = MARKS[finding.status]
        message = plain(finding.message)
        line = Text.assemble("  ", (mark, style), f"  {finding.id:<{ID_WIDTH}}  ")
        line.append(message, style if finding.status == "fail" else "")
        if console.is_terminal:
            line = _hanging(line, console.width)
        console.print(line, soft_wrap=True)
    return kept


def _hanging(line: Text, width: int) -> Text:
    """Break a long line under the place where its message begins."""
    at = 2 + 6 + 2 + ID_WIDTH + 2
    room = max(30, width - at)
    head, message = line.divide([at])
    broken = message.wrap(Console(), room)
    return Text(f"\n{' ' * at}").join([head + broken[0], *broken[1:]]) if broken else head


def _closing(results: dict[str, list[Finding]], bad: list[str]) -> None:
    console = Console(highlight=False)
    checks = sum(len(found) for found in results.values())
    told = f"{count(len(results), 'task')}, {count(checks, 'check')}"
    if bad:
        console.print(Text(f"{told}: {plain(', '.join(bad))} failed.", "bold red"), soft_wrap=True)
    else:
        console.print(Text(f"{told}: all sound.", "bold green"), soft_wrap=True)


def _both(results: dict[str, list[Finding]]) -> tuple[list[str], list[list[Finding]]]:
    return list(results), list(results.values())


def _object(name: str, found: list[Finding]) -> dict[str, Any]:
    checks = [json.loads(finding.model_dump_json()) for finding in found]
    return {"task": name, "ok": sound(found), "checks": checks}
