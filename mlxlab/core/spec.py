"""How a component is written on the command line.

    name    name:argument    name?key=value&key=value    name:argument?key=value    dist::name

Arguments and values are percent-encoded where they hold `?`, `&` or `%`. Truth is written true or
false, a list or a table of values as JSON.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote, unquote

from pydantic import Field

from mlxlab.core.errors import UsageError
from mlxlab.core.records import Record

_PLAIN = "/:@,.-_~="
"""What needs no percent-encoding in an argument or a value."""


class Spec(Record):
    """A component's name, its argument and its options, not yet resolved.

    `str(spec)` writes it as `parse` reads it back, whatever is in the argument and the values.
    """

    name: str
    argument: str | None = Field(None, description="What follows the colon; None without one.")
    options: dict[str, Any] = Field({}, description="By name; those that were read are texts.")
    distribution: str | None = Field(None, description="Whose component is meant; None: anybody's.")

    @classmethod
    def parse(cls, text: str) -> Spec:
        """Read a spec; raises UsageError for an empty name, an option without `=` or twice."""
        head, _, query = text.partition("?")
        distribution: str | None = None
        front, double, rest = head.partition("::")
        if double and ":" not in front:
            distribution, head = front, rest
        name, colon, argument = head.partition(":")
        if not name:
            raise UsageError(
                f"'{text}' names no component.", "Write name, name:argument or name?key=value."
            )
        return cls(
            name=name,
            argument=unquote(argument) if colon else None,
            options=_options(text, query),
            distribution=distribution,
        )

    def __str__(self) -> str:
        text = f"{self.distribution}::{self.name}" if self.distribution else self.name
        if self.argument is not None:
            argument = quote(self.argument, safe=_PLAIN)
            # A leading colon would read as the double colon after a distribution.
            text += ":" + ("%3A" + argument[1:] if argument.startswith(":") else argument)
        if self.options:
            pairs = (f"{k}={quote(_text(v), safe='/:@,.-_~')}" for k, v in self.options.items())
            text += "?" + "&".join(pairs)
        return text


def _text(value: Any) -> str:
    """An option's value as text that its field reads back."""
    if isinstance(value, bool | list | tuple | dict):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return str(value)


def _options(text: str, query: str) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for pair in filter(None, query.split("&")):
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise UsageError(
                f"'{pair}' in '{text}' is not an option.", "Options are written key=value."
            )
        if unquote(key) in options:
            raise UsageError(f"'{text}' says {unquote(key)} twice.", "Leave one of them out.")
        options[unquote(key)] = unquote(value)
    return options
