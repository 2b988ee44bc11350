"""Reading a configuration file: a mistake is one line with file, line, key and what comes near.

Paths in a file are what they would be on the command line: relative to the folder that mlxlab is
started in, wherever the file lies; `~` is one's home.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from mlxlab.api.configuring.lines import line_of
from mlxlab.api.configuring.parts import NAME, Misplaced, spec_of
from mlxlab.api.configuring.spec import Config
from mlxlab.api.tables import text_of, tuples, values_of
from mlxlab.core.errors import MlxError, UsageError
from mlxlab.core.mistakes import choice_meant, mistake
from mlxlab.core.near import did_you_mean
from mlxlab.core.registry import Registry
from mlxlab.core.spec import Spec

C = TypeVar("C", bound=Config)
_PATHS = ("task", "out", "cache", "model", "runs")
"""Keys that may hold a path."""


def read_config(
    path: Path | str,
    model: type[C],
    registry: Registry | None = None,
    without: Collection[str] = (),
) -> C:
    """A configuration file, checked.

    Args:
        path: the file.
        model: what it describes.
        registry: where components are found; by default what is installed.
        without: keys that are said elsewhere: what stands in the file for them is not looked at.

    Raises:
        UsageError: a key is unknown or a value is wrong; the message says where.
        PluginError: a component that it names cannot be loaded.
    """
    text = text_of(Path(path))
    try:
        return config_of(values_of(text, str(path)), model, registry, without)
    except Misplaced as wrong:
        line = line_of(text, wrong.keys) if wrong.keys else None
        where = f"{path}:{line}" if line is not None else str(path)
        raise UsageError(f"{where}: {wrong.error.message}", wrong.error.hint) from wrong


def config_of(
    values: Mapping[str, Any],
    model: type[C],
    registry: Registry | None = None,
    without: Collection[str] = (),
) -> C:
    """A configuration from its keys and tables; raises Misplaced, or PluginError."""
    found = registry or Registry.installed()
    _refuse_unknown(values, model, found)
    said = {name: _at_home(name, part) for name, part in values.items() if name not in without}
    for key, kind in model.kinds.items():
        if key in said:
            said[key] = _components(key, kind, said[key], model, found)
    try:
        return model.model_validate(tuples(said))
    except ValidationError as error:
        where, told, _ = mistake(error)
        key = where.partition(".")[0]
        hint = choice_meant(error) or _meaning(model, key)
        raise Misplaced((key,), UsageError(f"{key}: {told}.", hint)) from error


def _components(key: str, kind: str, said: Any, model: type[Config], registry: Registry) -> Any:
    """A spec, or several where the key names several."""
    if key not in model.lists:
        return _component((key,), kind, said, model, registry)
    if not isinstance(said, list | tuple):
        return [_component((key,), kind, said, model, registry)]
    return [_component((key, i), kind, part, model, registry) for i, part in enumerate(said)]


def _component(
    keys: tuple[str | int, ...], kind: str, said: Any, model: type[Config], registry: Registry
) -> str:
    try:
        return spec_of(kind, said, registry)
    except Misplaced as wrong:
        error = wrong.error
        if wrong.keys and wrong.keys[0] in model.model_fields and "has no option" in error.message:
            hint = f"'{wrong.keys[0]}' is a key of the {model.what}: write it above all [tables]."
            error = UsageError(error.message, hint)
        elif error.hint.startswith(word := f"Write --{kind} "):
            error = UsageError(error.message, f'Write "{error.hint.removeprefix(word)}".')
        raise Misplaced((*keys, *wrong.keys), error) from wrong


def _refuse_unknown(values: Mapping[str, Any], model: type[Config], registry: Registry) -> None:
    for key in values:
        if key not in model.model_fields:
            known = f"Known: {', '.join(model.model_fields)}."
            owner = _home_of(key, values, model, registry)
            hint = owner or did_you_mean(key, model.model_fields, known)
            text = f"'{key}' is no key of a {model.what}."
            raise Misplaced((key,), UsageError(text, hint))


def _home_of(key: str, values: Mapping[str, Any], model: type[Config], registry: Registry) -> str:
    """Where a key belongs that stands above the tables: below a component that has the option."""
    for place, kind in model.kinds.items():
        said = values.get(place)
        name = said.get(NAME) if isinstance(said, Mapping) else said
        if isinstance(name, str) and key in _options(kind, name, registry):
            return f"It is an option of {kind} '{name}': write it below [{place}]."
    return ""


def _options(kind: str, name: str, registry: Registry) -> Collection[str]:
    """A component's options; none where it cannot be found, since only a hint is looked for."""
    try:
        entry, _ = registry.resolve(kind, Spec.parse(name))
        model = registry.model(entry)
    except MlxError:
        return ()
    return model.model_fields if model is not None else ()


def _meaning(model: type[Config], key: str) -> str:
    field = model.model_fields.get(key)
    return (field.description or "") if field is not None else ""


def _at_home(key: str, said: Any) -> Any:
    """A path with `~` as a shell reads it, since none has seen the file."""
    if key not in _PATHS:
        return said
    if isinstance(said, list):
        return [_at_home(key, part) for part in said]
    if isinstance(said, str) and (said == "~" or said.startswith("~/")):
        return str(Path(said).expanduser())
    return said
