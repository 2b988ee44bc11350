"""Files of TOML tables as models: one line for a mistake, with the file, the key and its like."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from mlxlab.core.errors import UsageError
from mlxlab.core.mistakes import mistake
from mlxlab.core.near import did_you_mean

Made = TypeVar("Made", bound=BaseModel)


def read_toml(path: Path) -> dict[str, Any]:
    """What a TOML file says; raises UsageError where it cannot be read."""
    return values_of(text_of(path), str(path))


def text_of(path: Path) -> str:
    """A TOML file's text; raises UsageError where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is no TOML, which is text in UTF-8.") from error
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}.") from error


def values_of(text: str, where: str) -> dict[str, Any]:
    """What TOML says; raises UsageError where the text is none."""
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise UsageError(f"{where} is no TOML: its values are too deep.") from error
    except ValueError as error:
        raise UsageError(f"{where} is no TOML: {error}.") from error


def made_of(
    model: type[Made], values: Mapping[str, Any], where: str, tables: Mapping[str, type[BaseModel]]
) -> Made:
    """A model of what a file says; raises UsageError with the key and what comes near it.

    Args:
        model: what the file describes.
        values: its keys and tables.
        where: the file, as the message names it.
        tables: the models of the tables within, each of which may stand there several times.
    """
    _refuse_unknown(values, model, where)
    for name, table in tables.items():
        found = values.get(name, ())
        for part in found if isinstance(found, list | tuple) else [found]:
            if isinstance(part, Mapping):
                _refuse_unknown(part, table, f"{where}: [{name}]")
    try:
        return model.model_validate(tuples(values))
    except ValidationError as error:
        key, said, _ = mistake(error)
        raise UsageError(f"{where}: {f'{key}: ' if key else ''}{said}.") from error


def tuples(value: Any) -> Any:
    """Lists as tuples, which is what strict models take."""
    if isinstance(value, Mapping):
        return {key: tuples(item) for key, item in value.items()}
    return tuple(map(tuples, value)) if isinstance(value, list | tuple) else value


def _refuse_unknown(values: Mapping[str, Any], model: type[BaseModel], where: str) -> None:
    for key in values:
        if key not in model.model_fields:
            hint = did_you_mean(key, model.model_fields, f"Known: {', '.join(model.model_fields)}.")
            raise UsageError(f"{where} has no key '{key}'.", hint)
