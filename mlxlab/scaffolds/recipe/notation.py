"""Recipes as text: one JSON object, read strictly and written in one way only."""

from __future__ import annotations

import json

from mlxlab.scaffolds.recipe.space import MODEL, Family, Kind, Recipe, Value, families

DO = "do"
INSPECT = "inspect"
MAX_CHARS = 20_000
"""A longer answer is no recipe."""
_THOUGHT = "</think>"


class Unusable(ValueError):
    """Why an answer holds no recipe, in a sentence for the model."""


class _Pairs(dict[str, object]):
    """A JSON object that refuses a key twice, which `json` would silently merge."""

    def __init__(self, pairs: list[tuple[str, object]]) -> None:
        super().__init__(pairs)
        if len(self) < len(pairs):
            raise Unusable("A key is written twice.")


_DECODER = json.JSONDecoder(object_pairs_hook=_Pairs)


def written(recipe: Recipe) -> str:
    """The canonical text: no blanks, the keys in the space's order."""
    return json.dumps(recipe, separators=(",", ":"))


def read(text: str, kind: Kind) -> Recipe:
    """The recipe, or {"do": "inspect"}, of an answer in canonical form; raises Unusable."""
    found = _only_object(text)
    if DO in found:
        if found != {DO: INSPECT}:
            raise Unusable(f'The only thing to do is {{"{DO}":"{INSPECT}"}}, with no other key.')
        return {DO: INSPECT}
    name = found.get(MODEL)
    known = families(kind)
    if not isinstance(name, str) or name not in known:
        raise Unusable(f"`{MODEL}` must be one of: {', '.join(known)}.")
    return _checked(known[name], found)


def _only_object(text: str) -> dict[str, object]:
    """The one JSON object of a text; thinking before it and a fence around it do not count."""
    text = text.rpartition(_THOUGHT)[2]
    start = text.find("{")
    if start < 0:
        raise Unusable("The answer holds no JSON object.")
    if len(text) > MAX_CHARS:
        raise Unusable("The answer is far too long for one recipe.")
    try:
        found, end = _DECODER.raw_decode(text, start)
    except RecursionError:
        raise Unusable("The JSON object is nested too deeply.") from None
    except Unusable:
        raise
    except ValueError as error:
        why = error.msg if isinstance(error, json.JSONDecodeError) else "a number is too long"
        raise Unusable(f"The JSON object cannot be read: {why}.") from None
    if "{" in text[end:]:
        raise Unusable("There is more than one JSON object; write exactly one.")
    assert isinstance(found, dict)
    return found


def _checked(family: Family, found: dict[str, object]) -> Recipe:
    keys = ", ".join(f"`{key}`" for key in family.settings) or "no further key"
    for key in found:
        if key not in family.settings and key != MODEL:
            raise Unusable(f"`{family.name}` has no key `{key[:40]}`; it takes {keys}.")
    recipe: Recipe = {MODEL: family.name}
    for key, values in family.settings.items():
        if key not in found:
            raise Unusable(f"`{family.name}` takes {keys}; `{key}` is missing.")
        recipe[key] = _value(key, values, found[key])
    return recipe


def _value(key: str, values: tuple[Value, ...], given: object) -> Value:
    """The value that is meant, as the space writes it: 1.0 is 1, but true is not."""
    for value in values:
        if given == value and not isinstance(given, bool):
            return value
    choices = ", ".join(json.dumps(value) for value in values)
    raise Unusable(f"`{key}` must be one of: {choices}.")
