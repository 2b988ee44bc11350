"""What pydantic says of a wrong value, in words for who wrote the value."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic import ValidationError

from mlxlab.core.near import did_you_mean

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

MOST = 10
"""Fields that are told of; a list of thousands may be wrong in all its places."""
_CHOICE = re.compile(r"'[^']*'")
_MEMBER = re.compile(r"\w+\[.*\]")
"""How the place of an error names the part of a union that it is about."""


def mistake(error: ValidationError) -> tuple[str, str, bool]:
    """The first mistake: the field, what is wrong with it, and whether it is that it is missing."""
    found = error.errors()
    return *_described(found[0], found), found[0]["type"] == "missing"


def mistakes(error: ValidationError) -> list[tuple[str, str]]:
    """The first fields that are wrong, each once, and what is wrong with it."""
    alike: dict[tuple[int | str, ...], list[ErrorDetails]] = {}
    for each in error.errors():
        alike.setdefault(each["loc"][:1], []).append(each)
    return [_described(found[0], found) for found in [*alike.values()][:MOST]]


def _described(error: ErrorDetails, found: Sequence[ErrorDetails]) -> tuple[str, str]:
    parts = [str(part) for part in error["loc"]]
    where = ".".join(part for part in parts if not _MEMBER.fullmatch(part))
    return where, _said(error, [each for each in found if each["loc"][:1] == error["loc"][:1]])


def choice_meant(error: ValidationError) -> str:
    """A hint at the allowed value that is nearest to what was written, where these are few."""
    first = error.errors()[0]
    alike = [each for each in error.errors() if each["loc"][:1] == first["loc"][:1]]
    texts = [each["ctx"]["expected"] for each in alike if each["type"] == "literal_error"]
    known = [word.strip("'") for text in texts for word in _CHOICE.findall(text)]
    return did_you_mean(str(first["input"]), known)


def _said(first: ErrorDetails, alike: Sequence[ErrorDetails]) -> str:
    kind, context = first["type"], first.get("ctx", {})
    if kind == "missing":
        return "it is missing"
    if kind == "literal_error":
        expected = [each["ctx"]["expected"] for each in alike if each["type"] == kind]
        found = list(dict.fromkeys(word for text in expected for word in _CHOICE.findall(text)))
        listed = " or ".join(filter(None, [", ".join(found[:-1]), *found[-1:]]))
        return f"{first['input']!r} is not {listed or expected[0]}"
    if kind == "string_pattern_mismatch":
        return f"{first['input']!r} is not of the form {context['pattern']}"
    if kind.endswith("_parsing") or kind.startswith(("greater_than", "less_than")):
        return f"{first['msg'].partition(', ')[0]}, not {first['input']!r}"
    said = first["msg"].removeprefix("Value error, ").rstrip(".")
    return said.replace("valid tuple", "list")
