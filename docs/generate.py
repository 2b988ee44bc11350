"""The reference pages that the code itself writes, made anew whenever the site is built."""

from __future__ import annotations

import argparse
import inspect
import os
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from io import StringIO
from typing import Any, get_args, get_origin

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from pydantic import BaseModel

from mlxlab import testing
from mlxlab.api.bench.grid import Grid
from mlxlab.api.pipeline import PipelineSpec
from mlxlab.cli.main import main
from mlxlab.cli.parser import Parser
from mlxlab.cli.plugins.show import _described as describe
from mlxlab.core.entries import Entry, advertised
from mlxlab.core.hooks import HookSpecs
from mlxlab.core.options import Option, options_of
from mlxlab.core.registry import Registry
from mlxlab.plugins.tasks.task_file import TaskFile
from mlxlab.testing.kit import checks_of, in_order
from mlxlab.testing.kit.checks import is_basic

WIDTH = "80"
FIRST = ("task", "scaffold", "policy", "sandbox", "reward", "trainer")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages."""
    for path, page in PAGES.items():
        files.append(File.generated(config, path, content=page()))
    return files


def own(kind: str) -> list[Entry]:
    """The built-in entries of a kind."""
    return [entry for entry in advertised() if entry.builtin and entry.kind == kind]


def commands() -> str:
    """The help of every command and of everything below it."""
    os.environ["COLUMNS"] = WIDTH
    parts = ["# Commands", "What `mlx COMMAND --help` prints.", "```text", _root(), "```"]
    for entry in own("command"):
        parser = Parser(prog=f"mlx {entry.name}")
        Registry.installed().load(entry).configure(parser)
        parts += _helps(parser, 2)
    return "\n\n".join(parts[:2]) + "\n\n" + "\n".join(parts[2:]) + "\n"


def _root() -> str:
    with redirect_stdout(StringIO()) as printed:
        main(["--help"])
    return printed.getvalue().strip()


def _helps(parser: argparse.ArgumentParser, level: int) -> list[str]:
    found = [f"\n{'#' * level} `{parser.prog}`\n", "```text", parser.format_help().strip(), "```"]
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for below in dict.fromkeys(action.choices.values()):
                found += _helps(below, min(level + 1, 4))
    return found


def components() -> str:
    """Every built-in component and its options."""
    parts = ["# Components", "What is built in, as `mlx plugins show NAME` describes it."]
    others = {entry.kind for entry in advertised() if entry.builtin} - {*FIRST, "command"}
    for kind in (*FIRST, *sorted(others)):
        parts.append(f"## {kind}")
        parts += [text for entry in own(kind) for text in _component(entry)]
    return "\n\n".join(parts) + "\n"


def _component(entry: Entry) -> Iterator[str]:
    one = describe(entry)
    yield f"### `{entry.name}` {{ #{entry.kind}-{entry.name} }}"
    yield one["description"] or "No description."
    if one["argument"]:
        yield f"`{entry.name}:VALUE` sets `{one['argument']}`."
    if one["options"]:
        rows = ["| option | type | default | meaning |", "|---|---|---|---|"]
        rows += [_row(option) for option in one["options"]]
        yield "\n".join(rows)


def _row(option: dict[str, Any]) -> str:
    default = "required" if option["required"] else f"`{option['default']}`"
    meaning = option["description"].replace("|", "&#124;")
    limits = f"{option['type']}, {option['limits']}" if option["limits"] else option["type"]
    return f"| `{option['name']}` | `{limits}` | {default} | {meaning} |"


def files() -> str:
    """The keys of the files that people write: pipelines, grids, tasks."""
    parts = ["# Files", _FILES]
    for title, (model, told) in TABLES.items():
        parts += [f"## {title}", told]
        for name, table in _tables(model, ""):
            if name:
                parts.append(f"### `{name}` of a {title.split()[0].lower()}")
            rows = [_row(_shown(option)) for option in options_of(table)]
            parts.append(
                "\n".join(["| key | type | default | meaning |", "|---|---|---|---|", *rows])
            )
    return "\n\n".join(parts) + "\n"


def _tables(model: type[BaseModel], name: str) -> Iterator[tuple[str, type[BaseModel]]]:
    """A file's own keys, then each of its tables."""
    yield name, model
    for key, field in model.model_fields.items():
        many = get_origin(field.annotation) is tuple
        for part in get_args(field.annotation):
            if isinstance(part, type) and issubclass(part, BaseModel):
                yield from _tables(part, f"[[{key}]]" if many else f"[{key}]")
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _tables(field.annotation, f"[{key}]")


def _shown(option: Option) -> dict[str, Any]:
    """A key as the table has it; what stands in a table of its own has no default here."""
    default = option.default
    if isinstance(default, BaseModel) or default in ((), {}):
        default = "none said"
    return {**vars(option), "default": default}


_FILES = """\
The keys of the files that people write. A run and a training as a file have the options of
[their commands](commands.md) as keys: [configuration](../configuration.md). What is wrong in a file
is told with the file, the key and what was meant."""

TABLES: dict[str, tuple[type[BaseModel], str]] = {
    "Pipeline": (PipelineSpec, "`mlx pipeline run FILE.toml`: [training](../training.md)."),
    "Grid": (Grid, "`mlx bench FILE.toml`: [benchmarks](../benchmarks.md)."),
    "Task": (TaskFile, "`task.toml` in the folder of a task: [tasks](../tasks.md)."),
}


def hooks() -> str:
    """Every hook, what it is called with, and when."""
    parts = ["# Hooks", _HOOKS]
    for name, hook in inspect.getmembers(HookSpecs, inspect.isfunction):
        parts.append(f"## `{name}`")
        signature = str(inspect.signature(hook)).replace("(self, ", "(").replace("(self)", "()")
        parts.append(f"```text\n{name}{signature.replace(chr(39), '')}\n```")
        parts.append(inspect.getdoc(hook) or "")
    return "\n\n".join([*parts, _ACTIONS]) + "\n"


_HOOKS = """\
A hook module is advertised in the entry-point group `mlxlab`; its functions bear
`mlxlab.core.hooks.hookimpl` and a hook's name, and may take fewer arguments than it offers. Each
is called by itself: one that fails is named when the run ends, and costs nobody else anything."""
_ACTIONS = """\
## Actions of your own

A handler carries out the `CustomAction`s of its name, for any scaffold that reads them out of
answers and allows them: `tree.decide(..., allowed=("run_code", "custom"))`. It works in the
restored workspace through the sandbox, and what it leaves there is recorded as the step's next
state. Its `Observation` is the step's: nothing is graded afterwards. An exception of the handler's
own is an observation with the status `error`, an action without a handler one with
`invalid_action`. `examples/mlx-best-of-n` has both sides.

::: mlxlab.core.hooks.ActionHandler
    options: { heading_level: 3 }

::: mlxlab.core.hooks.hookimpl
    options: { heading_level: 3 }"""


def conformance() -> str:
    """Every check of every suite, with its id and its promise."""
    parts = ["# Conformance", _CONFORMANCE]
    for name in sorted(testing.__all__):
        suite = getattr(testing, name)
        if name.endswith("Conformance") and (checks := checks_of(suite)):
            # The anchor is what its import leads to; the heading's own is linked to by name.
            parts.append(f"## {name}\n\n[](){{ #{testing.__name__}.{name} }}")
            parts.append(inspect.getdoc(suite) or "")
            first = [f"`{check.id}`" for check in in_order(suite) if is_basic(suite, check)]
            basics = f" The others wait for {', '.join(first)}." if first else ""
            rows = [f"{len(checks)} checks.{basics}", "", "| id | promise |", "|---|---|"]
            rows += [f"| `{check.id}` | {check.promise} |" for check in checks]
            parts.append("\n".join(rows))
    return "\n\n".join(parts) + "\n"


_CONFORMANCE = """\
What a component of each kind promises, one check for each promise. `mlx plugins check NAME` runs
those of its kind and `ComponentConformance`; a test class runs those of the suite that it inherits
from. `FaultConformance` and `ServedConformance` are for test classes alone. An id stays as it is
once released."""

PAGES: dict[str, Callable[[], str]] = {
    "reference/commands.md": commands,
    "reference/components.md": components,
    "reference/files.md": files,
    "reference/hooks.md": hooks,
    "reference/conformance.md": conformance,
}
