"""A JSON schema of a configuration file, with the options of what is installed, for editors."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from mlxlab.api.configuring.parts import NAME
from mlxlab.api.configuring.spec import Config
from mlxlab.core.boundary import Boundary
from mlxlab.core.entries import Entry, of_kind
from mlxlab.core.errors import MlxError
from mlxlab.core.loading import whose_entry
from mlxlab.core.registry import Registry
from mlxlab.core.spec import Spec

DIALECT = "http://json-schema.org/draft-07/schema#"
"""What TOML editors read; newer words of JSON schema are not in it."""
_TEXTS = {
    "time": "a duration",
    "exec_timeout": "a duration",
    "patience": "a duration",
    "max_state": "a size",
}


def config_schema(
    model: type[Config], registry: Registry | None = None
) -> tuple[dict[str, Any], list[str]]:
    """The schema, and what was left out of it because it cannot be loaded, a line each.

    Every component of the kinds that the file names is imported.
    """
    found, failed, defined = registry or Registry.installed(), list[str](), dict[str, Any]()
    for kind in dict.fromkeys(model.kinds.values()):
        defined[kind] = _kind(kind, found, defined, failed)
    whole = model.model_json_schema()
    properties = {key: _property(key, said, model) for key, said in whole["properties"].items()}
    schema = {
        "$schema": DIALECT,
        "title": f"A {model.what} of mlxlab",
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
        "definitions": defined,
    }
    return schema, list(dict.fromkeys(failed))  # a source of names is asked for each kind


def _property(key: str, said: Mapping[str, Any], model: type[Config]) -> dict[str, Any]:
    """One key of the file: its own type, or a component of a kind."""
    described = {"description": said.get("description", "")}
    if kind := model.kinds.get(key):
        one = {"$ref": f"#/definitions/{kind}"}
        several = {"type": "array", "items": one}
        return {**described, **({"anyOf": [several, one]} if key in model.lists else one)}
    parts = [part for part in said.get("anyOf", [said]) if part.get("type") != "null"]
    parts = [
        {k: v for k, v in p.items() if k not in ("title", "default", "description")} for p in parts
    ]
    if key in _TEXTS or any(part.get("type") == "array" for part in parts):
        parts.append({"type": "string"})
    return {**described, **(parts[0] if len(parts) == 1 else {"anyOf": parts})}


def _kind(
    kind: str, registry: Registry, defined: dict[str, Any], failed: list[str]
) -> dict[str, Any]:
    """A component of a kind: a spec, or the table of one that is installed."""
    tables, names = [], list[str]()
    for several, entry in [*_installed(kind, registry), *_aliases(kind, registry, failed)]:
        try:
            model = registry.model(entry)
            with Boundary(whose_entry(entry), "its options", failed="has no schema"):
                tables.append(_table(several, kind, model, defined))
            names += several
        except MlxError as error:
            failed.append(str(error))
    word = {"type": "string", "description": f"A {kind}: name, name:argument, name?key=value."}
    return {"anyOf": [{**word, "examples": names}, *tables]}


def _installed(kind: str, registry: Registry) -> list[tuple[list[str], Entry]]:
    """The components of a kind, each with the name that leads to it."""
    found = []
    for entry in of_kind(registry.entries, kind):
        plain = _reached(entry, registry)
        found.append(([entry.name if plain else f"{entry.distribution}::{entry.name}"], entry))
    return found


def _aliases(kind: str, registry: Registry, failed: list[str]) -> list[tuple[list[str], Entry]]:
    """The names that stand for specs, those of one component together."""
    found: dict[str, tuple[list[str], Entry]] = {}
    names, broken = registry.aliases(kind)
    failed += [str(error) for _, error in broken]
    for name in names:
        try:
            entry, _ = registry.resolve(kind, Spec.parse(name))
        except MlxError as error:
            failed.append(f"{kind} '{name}': {error}")
        else:
            found.setdefault(entry.target, ([], entry))[0].append(name)
    return list(found.values())


def _reached(entry: Entry, registry: Registry) -> bool:
    """Whether a plain name leads to the entry."""
    try:
        return registry.find(entry.kind, Spec.parse(entry.name)) is entry
    except MlxError:
        return False


def _table(
    names: list[str], kind: str, model: type[BaseModel] | None, defined: dict[str, Any]
) -> dict[str, Any]:
    """The table of one component: its name, which may hold argument and options, and options."""
    place = f"{kind}.{names[0]}"
    whole = _schema_of(model, place) if model is not None else {}
    for part, schema in whole.pop("$defs", {}).items():
        defined[f"{place}.{part}"] = schema
    options = {key: said for key, said in whole.get("properties", {}).items() if key != NAME}
    pattern = f"^({'|'.join(map(re.escape, names))})(:[^?]*)?([?].*)?$"
    described = (model.__doc__ or "") if model is not None and "__doc__" in vars(model) else ""
    return {
        "title": ", ".join(names),
        "description": described.partition("\n")[0],
        "type": "object",
        "additionalProperties": False,
        "required": [NAME],
        "properties": {
            NAME: {"type": "string", "pattern": pattern, "examples": names},
            **options,
        },
    }


def _schema_of(model: type[BaseModel], place: str) -> dict[str, Any]:
    """A model's own schema, what it refers to named so that it is one of a kind."""
    return model.model_json_schema(by_alias=False, ref_template=f"#/definitions/{place}.{{model}}")
