"""`mlx plugins show NAME`: what a component is, how it is written, and the options it takes."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Mapping
from pathlib import Path
from shlex import quote
from typing import Any

from pydantic import BaseModel
from rich.cells import cell_len
from rich.text import Text

from mlxlab.cli.console import Console
from mlxlab.cli.failure import report
from mlxlab.cli.plugins.entry import written
from mlxlab.cli.plugins.find import find_entries
from mlxlab.cli.table import Column, print_json, print_table
from mlxlab.cli.text import cut, plain
from mlxlab.core.components import ONE_EACH
from mlxlab.core.entries import Entry
from mlxlab.core.errors import MlxError, UnknownComponent
from mlxlab.core.kinds import kind_problem
from mlxlab.core.options import Option, options_of
from mlxlab.core.registry import Registry
from mlxlab.core.spec import Spec
from mlxlab.testing.components.conformance import NEVER_MADE

COMMANDS = {
    **dict.fromkeys(("task", "scaffold", "policy", "sandbox", "reward"), "mlx run"),
    "trainer": "mlx train",
}
"""The command that takes a component of a kind, with an option of the kind's name."""
COLUMNS = tuple(map(Column, ("OPTION", "TYPE", "LIMITS", "DEFAULT", "MEANING")))
READABLE = 45
"""Columns that a meaning needs beside the others; where there are fewer it goes below them."""
WIDEST_DEFAULT = 28
UNSET = "-"


def show(word: str, as_json: bool) -> int:
    """Load what the word means and print its description and its options."""
    try:
        found = [_described(entry) for entry in find_entries(word)]
    except UnknownComponent:
        found = _aliased(word)
        if not found:
            raise
    if as_json:
        print_json(found)
        return 0
    for number, one in enumerate(found):
        if number:
            print()
        _print(one)
    return 0


def _aliased(word: str) -> list[dict[str, Any]]:
    """What a name that stands for a spec means."""
    registry, found = Registry.installed(), []
    broken: dict[str, MlxError] = {}
    for kind in ONE_EACH:
        aliases, failed = registry.aliases(kind)
        broken |= {source.target: error for source, error in failed}
        for name, spec in aliases.items():
            if word in (name, f"{kind}.{name}"):
                entry, meant = registry.resolve(kind, Spec.parse(name))
                own = _described(entry)
                given = meant.argument is not None
                options = [o for o in own["options"] if not given or o["name"] != own["argument"]]
                argument = None if given else own["argument"]
                update = {
                    "description": f"{name} stands for {spec}. {own['description']}",
                    "options": options,
                    "argument": argument,
                    "example": _example(kind, name, argument, options),
                }
                found.append({**own, **update})
    for error in broken.values() if not found else ():
        report(error)  # one of them may have the name
    return found


def _described(entry: Entry) -> dict[str, Any]:
    registry = Registry.installed()
    loaded = registry.load(entry)
    model = registry.model(entry) if callable(loaded) and entry.kind not in NEVER_MADE else None
    argument = getattr(model, "argument", None)
    options = [_option(option) for option in options_of(model)]
    gaps = getattr(_declaring(entry, loaded), "known_gaps", None)
    return {
        "kind": entry.kind,
        "name": entry.name,
        "distribution": entry.distribution,
        "version": entry.version,
        "target": entry.target,
        "note": kind_problem(entry.kind, Registry.installed().entries),
        "description": _first_paragraph(loaded),
        "argument": argument,
        "example": _example(entry.kind, entry.name, argument, options),
        "options": options,
        "known_gaps": {str(k): str(v) for k, v in gaps.items()}
        if isinstance(gaps, Mapping)
        else {},
    }


def _declaring(entry: Entry, loaded: Any) -> Any:
    """Who says what is known of a component: its class, or what a function makes."""
    if not inspect.isroutine(loaded) or entry.kind in NEVER_MADE:
        return loaded
    try:
        spec = written(entry, Spec(name=entry.name))
        return Registry.installed().create(entry.kind, spec).instance
    except MlxError:  # it needs an option, or something that is not here
        return loaded


def _first_paragraph(loaded: Any) -> str:
    """Of what a component says of itself; a config's own text is not the component's."""
    text = inspect.getdoc(loaded) or ""
    return " ".join(text.partition("\n\n")[0].split())


def _option(option: Option) -> dict[str, Any]:
    return {
        "name": option.name,
        "type": option.type,
        "limits": option.limits,
        "required": option.required,
        "default": None if option.required else _written(option.default),
        "description": option.description,
        "recorded": option.recorded,
    }


def _written(value: Any) -> str:
    """A default as it would be written in a spec."""
    if isinstance(value, bool):
        return str(value).lower()
    dumped = value.model_dump(mode="json") if isinstance(value, BaseModel) else value
    return str(dumped)


def _example(
    kind: str, name: str, argument: str | None, options: list[dict[str, Any]]
) -> str | None:
    """How the component is written on the command line, with an option of its own."""
    if kind not in COMMANDS:
        return None
    needed = {option["name"] for option in options if option["required"]}
    spec = f"{name}:{argument.upper()}" if argument in needed and argument else name
    for option in options:
        default = option["default"]
        given = default not in (None, "None", "") and not Path(default).is_absolute()
        if option["name"] != argument and given and option["recorded"]:
            spec += f"?{option['name']}={default}"
            break
    return f"{COMMANDS[kind]} --{kind} {quote(spec)}"


def _print(one: dict[str, Any]) -> None:
    console = Console(highlight=False)
    title = f"{one['kind']}.{one['name']}"
    origin = f"{one['distribution']} {one['version']}, {one['target']}"
    line = Text.assemble((plain(title), "bold"), (f"  {plain(origin)}", "dim"))
    console.print(line, soft_wrap=True)
    if one["note"]:
        console.print(Text(plain(f"kind '{one['kind']}': {one['note']}"), "yellow"))
    if one["description"]:
        console.print(Text(plain(one["description"])))
    if one["example"]:
        console.print(Text(f"  {plain(one['example'])}", "cyan"), soft_wrap=True)
    if one["argument"]:
        written = f"{one['name']}:VALUE sets {one['argument']}"
        console.print(Text(plain(written)), soft_wrap=True)
    if one["options"]:
        console.print()
        _print_options(console, one["options"])
    elif one["kind"] not in {"command", "hook"}:
        console.print(Text("It has no options.", "dim"))
    if one["known_gaps"]:
        console.print(Text("\nIt is known not to pass these checks:"))
        for name, reason in one["known_gaps"].items():
            console.print(Text(f"  {plain(name)}"), soft_wrap=True)
            _print_wrapped(console, reason)


def _print_options(console: Console, options: list[dict[str, Any]]) -> None:
    """As a table where a meaning has room in it, else each option with its meaning below."""
    rows = [_cells(option) for option in options]
    shown = [i for i in range(len(COLUMNS)) if i == 0 or any(row[i] for row in rows)]
    columns = [COLUMNS[i] for i in shown]
    rows = [[row[i] for i in shown] for row in rows]
    widths = [max(cell_len(row[i]) for row in [[c.title for c in columns], *rows])
              for i in range(len(columns) - 1)]  # fmt: skip
    if not console.is_terminal or console.width - sum(widths) - 2 * len(widths) >= READABLE:
        print_table(columns, rows)
        return
    for option in options:
        _print_block(console, option)


def _print_block(console: Console, option: dict[str, Any]) -> None:
    kind = ", ".join(filter(None, (_type(option), option["limits"])))
    unset = "  required" if option["required"] else "  not set"
    state = unset if option["default"] in (None, "None") else f" = {_default(option)}"
    head = Text.assemble((plain(option["name"]), "bold"), state)
    console.print(head + Text(f"  {plain(kind)}", "dim"), soft_wrap=True)
    _print_wrapped(console, _meaning(option))


def _print_wrapped(console: Console, text: str) -> None:
    """A text below what it is about."""
    for line in textwrap.wrap(plain(text), max(20, console.width - 4)):
        console.print(Text(f"    {line}"), soft_wrap=True)


def _cells(option: dict[str, Any]) -> list[str]:
    default = "required" if option["required"] else _default(option)
    return [option["name"], _type(option), option["limits"], default, _meaning(option)]


def _type(option: dict[str, Any]) -> str:
    """The type of what can be written: not to set an option is to leave it out."""
    parts = [part for part in option["type"].split(" | ") if part != "None"]
    return " | ".join(parts) or "None"


def _default(option: dict[str, Any]) -> str:
    default = option["default"]
    shown = UNSET if default == "None" else default or '""'
    return cut(plain(shown), WIDEST_DEFAULT)


def _meaning(option: dict[str, Any]) -> str:
    told = option["recorded"] or "not recorded" in option["description"]
    note = "" if told else " It is not recorded."
    return f"{option['description']}{note}".strip()
