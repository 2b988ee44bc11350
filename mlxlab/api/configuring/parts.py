"""Components in a configuration file: a spec, or a table whose keys are options, made one spec."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from mlxlab.core.components import task_spec
from mlxlab.core.errors import UsageError, WrongOption
from mlxlab.core.registry import Registry
from mlxlab.core.spec import Spec

NAME = "name"
"""The key of a table that says which component; an option of that name is written in the spec."""


class Misplaced(Exception):
    """A mistake, and below which keys of the file it stands."""

    def __init__(self, keys: Sequence[str | int], error: UsageError) -> None:
        super().__init__(str(error))
        self.keys = tuple(keys)
        self.error = error


def spec_of(kind: str, said: Any, registry: Registry) -> str:
    """A component's spec, checked against its options; raises Misplaced."""
    if isinstance(said, str):
        spec, options = _named(kind, said, registry), {}
    elif isinstance(said, Mapping):
        spec, options = _named(kind, _name(kind, said), registry), dict(said)
        del options[NAME]
    else:
        text = f"The {kind} is {said!r}, neither a text nor a table."
        raise Misplaced((), UsageError(text, f'Write {kind} = "NAME", or a table with a {NAME}.'))
    if twice := next((key for key in options if key in spec.options), None):
        text = f"{kind} '{spec.name}': {twice} is said twice, here and in its {NAME}."
        raise Misplaced((twice,), UsageError(text))
    whole = spec.model_copy(update={"options": {**spec.options, **options}})
    if text := _checked(kind, whole, options, registry):
        return text
    raise Misplaced((), UsageError(f"{kind} '{spec.name}' cannot be written as one word."))


def _checked(kind: str, whole: Spec, said: Mapping[str, Any], registry: Registry) -> str:
    """The spec as text, if that gives what the table says."""
    text = str(whole)
    try:
        _, _, meant = registry.configured(kind, whole)
        _, _, read = registry.configured(kind, Spec.parse(text))
    except WrongOption as error:
        raise Misplaced((error.option,) if error.option in said else (), error) from error
    except UsageError as error:
        raise Misplaced((), error) from error
    return text if _same(meant, read) else ""


def _same(one: BaseModel | None, other: BaseModel | None) -> bool:
    """Equal, or both with what equals nothing, as nan."""
    return one == other or repr(one) == repr(other)


def _name(kind: str, said: Mapping[str, Any]) -> str:
    name = said.get(NAME)
    if isinstance(name, str):
        return name
    if NAME in said:
        raise Misplaced((NAME,), UsageError(f"The {NAME} of the {kind} is {name!r}, no text."))
    text = f"The table does not say which {kind}."
    raise Misplaced((), UsageError(text, f'Add {NAME} = "...".'))


def _named(kind: str, text: str, registry: Registry) -> Spec:
    try:
        return task_spec(text, registry) if kind == "task" else Spec.parse(text)
    except UsageError as error:
        raise Misplaced((), error) from error
