"""Files of TOML tables as models: one line for a mistake, with the file, the key and its like."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from mlxlab.core.errors import UsageError
from mlxlab.core.mistakes import mistake

Made = TypeVar("Made", bound=BaseModel)


def read_toml(path: Path) -> dict[str, Any]:
    """What a TOML file says; raises UsageError where it cannot be read."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is no TOML, which is text in UTF-8.") from error
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}.") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is no TOML: {str(error) or 'too deep'}.") from error


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
        return model.model_validate(_tuples(values))
    except ValidationError as error:
        key, said, _ = mistake(error)
        raise UsageError(f"{where}: {f'{key}: ' if key else ''}{said}.") from error


def _tuples(value: Any) -> Any:
    """Lists as tuples, which is what strict models take."""
    if isinstance(value, Mapping):
        return {key: _tuples(item) for key, item in value.items()}
    return tuple(map(_tuples, value)) if isinstance(value, list | tuple) else value


def _refuse_unknown(values: Mapping[str, Any], model: type[BaseModel], where: str) -> None:
    for key in values:
        if key not in model.model_fields:
            near = get_close_matches(key, model.model_fields, 1)
            known = ", ".join(model.model_fields)
            hint = f"Did you mean '{near[0]}'?" if near else f"Known: {known}."
            raise UsageError(f"{where} has no key '{key}'.", hint)
