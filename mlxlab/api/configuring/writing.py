"""A configuration as TOML that reads back as the same: what was said, and defaults as comments.

A default stays a comment, since a component may ask which of its options were said (a preset
does), and since a run's record and its comparisons hold what was said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from mlxlab.api.configuring import toml
from mlxlab.api.configuring.parts import NAME, Misplaced, spec_of
from mlxlab.api.configuring.spec import Config
from mlxlab.core.components import task_spec
from mlxlab.core.entries import Entry
from mlxlab.core.errors import UsageError
from mlxlab.core.options import Option, options_of
from mlxlab.core.registry import Registry
from mlxlab.core.spec import Spec

_HEAD = """\
# A {what}: {command} --config FILE. What is said on the command line wins.
# A line such as #key = value is a default; without the # it is said. "..." is no value.
# Paths are relative to the folder that mlx is started in."""


def config_text(
    values: Mapping[str, Any], model: type[Config], registry: Registry | None = None
) -> tuple[str, list[str]]:
    """A file that says these values, components as specs.

    Returns:
        The text, and the options that were said but may stand in no file.

    Raises:
        UsageError, PluginError: a component or an option of it is wrong.
    """
    found, kept = registry or Registry.installed(), list[str]()
    lines = _HEAD.format(what=model.what, command=model.command).splitlines()
    for key, field in model.model_fields.items():
        if key in model.kinds and values.get(key) != ():
            continue
        described = toml.comment(field.description or "")
        lines += ["", *described, _line(key, values.get(key), field.examples)]
    for key, kind in model.kinds.items():
        lines += _component_lines(key, kind, values.get(key), model, found, kept)
    return "\n".join(lines) + "\n", kept


def _line(key: str, said: Any, examples: Sequence[Any] | None) -> str:
    """A key of the file itself; a field's example is its default."""
    if said is not None:
        return f"{key} = {toml.value(said)}"
    return f"#{key} = {toml.value(examples[0]) if examples else '...'}"


def _component_lines(
    key: str, kind: str, said: Any, model: type[Config], registry: Registry, kept: list[str]
) -> Iterator[str]:
    described = toml.comment(model.model_fields[key].description or "")
    if said is None:
        yield from ("", *described, f"#[{key}]", f'#{NAME} = "..."')
        return
    several = key in model.lists
    for number, spec in enumerate(said if several else [said]):
        yield ""
        if not number:
            yield from described
        yield f"[[{key}]]" if several else f"[{key}]"
        yield from _table(key, kind, spec, registry, kept)


def _table(key: str, kind: str, text: str, registry: Registry, kept: list[str]) -> Iterator[str]:
    """A component's keys: its name, and each option with what it means."""
    spec = task_spec(text, registry) if kind == "task" else Spec.parse(text)
    entry, _, config = registry.configured(kind, spec)
    options = {option.name: option for option in options_of(type(config) if config else None)}
    # In the order of the spec, so that what is read makes the same text.
    options = {**{name: options[name] for name in spec.options}, **options}
    private = [name for name in spec.options if not options[name].recorded]
    kept += [f"{key}.{name}" for name in private]
    spec = spec.model_copy(
        update={"options": {k: v for k, v in spec.options.items() if k not in private}}
    )
    said = _said(kind, spec, registry)
    yield from toml.comment(_origin(entry))
    yield f"{NAME} = {toml.value(said[NAME])}"
    for name, option in options.items():
        if name == NAME or (name == getattr(config, "argument", None) and spec.argument):
            continue
        yield from toml.comment(_meaning(option))
        yield _option_line(option, said, config)


def _origin(entry: Entry) -> str:
    return f"{entry.name} of {entry.distribution} {entry.version}"


def _meaning(option: Option) -> str:
    kind = f"{option.type}, {option.limits}" if option.limits else option.type
    return f"{option.description} ({kind})".strip()


def _option_line(option: Option, said: Mapping[str, Any], config: Any) -> str:
    """The line of one option; as a comment where it was not said."""
    name = toml.key(option.name)
    if option.name in said:
        return f"{name} = {toml.value(said[option.name])}"
    if not option.recorded:
        return f"#{name} = ..."
    try:
        dumped = _dumped(config, {option.name})[option.name]
        return f"#{name} = ..." if dumped is None else f"#{name} = {toml.value(dumped)}"
    except ValueError:
        return f"#{name} = ..."


def _said(kind: str, spec: Spec, registry: Registry) -> dict[str, Any]:
    """The table that makes the same spec: typed values if they do, else the spec as the name."""
    whole = {NAME: str(spec)}
    if not spec.options or NAME in spec.options:
        return whole
    try:
        config = registry.configured(kind, spec)[2]
        typed = _dumped(config, set(spec.options))
        table = {NAME: str(spec.model_copy(update={"options": {}})), **typed}
        toml.value(table)
        made = spec_of(kind, table, registry)
    except (Misplaced, UsageError, ValueError):
        return whole
    return table if registry.configured(kind, Spec.parse(made))[2] == config else whole


def _dumped(config: BaseModel | None, names: set[str]) -> dict[str, Any]:
    """Some options' values as JSON has them; raises ValueError where they have no such form."""
    try:
        found = config.model_dump(mode="json", include=names) if config is not None else {}
    except Exception as error:  # whatever a third party's serializer raises
        raise ValueError(f"{type(error).__name__}: {error}") from error
    if missing := names - set(found):
        raise ValueError(f"{min(missing)} is not dumped")
    return found
