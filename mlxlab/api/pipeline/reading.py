"""Reading a pipeline file: one line for a mistake, with the file, the key and what comes near."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from mlxlab.api.pipeline.spec import (
    CollectTable,
    EvaluateTable,
    ExploreTable,
    MachineTable,
    PipelineSpec,
    RLTable,
    SFTTable,
)
from mlxlab.core.errors import UsageError
from mlxlab.core.mistakes import mistake

TABLES: dict[str, type[BaseModel]] = {
    "explore": ExploreTable,
    "collect": CollectTable,
    "sft": SFTTable,
    "rl": RLTable,
    "evaluate": EvaluateTable,
    "machine": MachineTable,
}


def read_pipeline(path: Path) -> PipelineSpec:
    """A pipeline file; raises UsageError in one line that says where the mistake is."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is no TOML, which is text in UTF-8.") from error
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}.") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is no TOML: {str(error) or 'too deep'}.") from error
    return pipeline_of({"name": path.stem, **values}, str(path))


def pipeline_of(values: Mapping[str, Any], where: str) -> PipelineSpec:
    """A pipeline from its tables; raises UsageError with the key and what comes near it."""
    _refuse_unknown(values, PipelineSpec, where)
    for name, model in TABLES.items():
        found = values.get(name, ())
        for part in found if isinstance(found, list | tuple) else [found]:
            if isinstance(part, Mapping):
                _refuse_unknown(part, model, f"{where}: [{name}]")
    try:
        return PipelineSpec.model_validate(_tuples(values))
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
