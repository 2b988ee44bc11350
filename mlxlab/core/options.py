"""The options of a component, as people read them: type, limits, default, meaning."""

from __future__ import annotations

import inspect
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, get_args, get_origin

from pydantic import BaseModel, SecretBytes, SecretStr
from pydantic.errors import PydanticInvalidForJsonSchema, PydanticSchemaGenerationError
from pydantic.fields import FieldInfo

_BOUNDS = (
    ("exclusiveMinimum", "> "),
    ("minimum", ">= "),
    ("exclusiveMaximum", "< "),
    ("maximum", "<= "),
    ("multipleOf", "a multiple of "),
    ("minLength", "length >= "),
    ("maxLength", "length <= "),
    ("minItems", "items >= "),
    ("maxItems", "items <= "),
    ("pattern", "matches "),
)


@dataclass(frozen=True)
class Option:
    """One option of a component.

    Args:
        name: how it is written.
        type: its type as people write it: `int | None`, `a | b`.
        limits: what else a value has to be: `>= 0, <= 1`.
        required: whether it has to be said.
        default: what it is otherwise, as its field has it.
        description: what it means.
        recorded: whether records keep it; what is secret, or allowed only once, they do not.
    """

    name: str
    type: str
    limits: str
    required: bool
    default: Any
    description: str
    recorded: bool


def options_of(model: type[BaseModel] | None) -> list[Option]:
    """The options that a config model declares, in its own order."""
    if model is None:
        return []
    schemas = _properties(model)
    return [_option(name, field, schemas) for name, field in model.model_fields.items()]


def unrecorded(field: FieldInfo) -> bool:
    """Whether no record may keep a field's value: it is excluded, or a secret by its type."""
    return bool(field.exclude) or _secret(field.annotation)


def _option(name: str, field: FieldInfo, schemas: Mapping[str, Any]) -> Option:
    required = field.is_required()
    return Option(
        name=name,
        type=type_name(field.annotation),
        limits=", ".join(_limits(schemas.get(name, {}))),
        required=required,
        default=None if required else field.get_default(call_default_factory=True),
        description=field.description or "",
        recorded=not unrecorded(field),
    )


def _properties(model: type[BaseModel]) -> Mapping[str, Any]:
    """Each field's JSON schema; none where pydantic has none for the model."""
    try:
        found: Mapping[str, Any] = model.model_json_schema(by_alias=False)["properties"]
    except (PydanticInvalidForJsonSchema, PydanticSchemaGenerationError, KeyError):
        return {}
    return found


def _limits(schema: Mapping[str, Any]) -> Iterator[str]:
    for key, words in _BOUNDS:
        if key in schema:
            value = schema[key]
            yield f"{words}{value:g}" if isinstance(value, float) else f"{words}{value}"
    for part in schema.get("anyOf", ()):
        yield from _limits(part)


def _secret(annotation: Any) -> bool:
    if inspect.isclass(annotation) and not get_args(annotation):
        return issubclass(annotation, SecretStr | SecretBytes)
    return any(_secret(part) for part in get_args(annotation))


def type_name(annotation: Any) -> str:
    """A type as people write it: int | None, a | b."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is types.UnionType or str(origin) == "typing.Union":
        return " | ".join(dict.fromkeys(type_name(part) for part in parts))
    if str(origin) == "typing.Literal":
        return " | ".join(str(part) for part in parts)
    if str(origin) == "typing.Annotated" or hasattr(annotation, "__metadata__"):
        return type_name(parts[0])
    if annotation is type(None):
        return "None"
    if origin in (list, tuple, set, frozenset, dict):
        inner = ", ".join("..." if part is ... else type_name(part) for part in parts)
        return f"{origin.__name__}[{inner}]"
    if inspect.isclass(annotation) and issubclass(annotation, Enum):
        return " | ".join(str(member.value) for member in annotation)
    if inspect.isclass(annotation):
        return annotation.__name__
    return str(annotation).replace("typing.", "")
