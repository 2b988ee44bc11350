"""An error of a component's in one line."""

import asyncio
from typing import Literal

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from mlxlab.core.boundary import awaited, cause_of
from mlxlab.core.errors import PluginError


class Two(BaseModel):
    first: int
    second: int


def test_what_pydantic_says_of_a_model_is_told_by_field() -> None:
    with pytest.raises(ValidationError) as caught:
        Two.model_validate({"first": "x"})
    assert cause_of(caught.value) == (
        "ValidationError: Two: first: Input should be a valid integer, not 'x'; "
        "second: it is missing"
    )


class Shy:
    def __repr__(self) -> str:
        raise RuntimeError("not me")


class Chosen(BaseModel, arbitrary_types_allowed=True):
    one: Literal["a", "b"]


def test_a_value_that_cannot_be_shown_costs_only_its_words() -> None:
    with pytest.raises(ValidationError) as caught:
        Chosen.model_validate({"one": Shy()})
    assert "ValidationError" in cause_of(caught.value)


def test_of_many_wrong_places_some_are_told() -> None:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(list[int]).validate_python(["x"] * 20_000)
    line = cause_of(caught.value)
    assert "0: Input should be a valid integer" in line and len(line) < 600


def test_what_is_not_async_is_told_how_to_write_it() -> None:
    async def five() -> int:
        return 5

    assert asyncio.run(awaited("sandbox 'x' of y 1.0", "run", five())) == 5
    with pytest.raises(PluginError) as caught:
        asyncio.run(awaited("sandbox 'x' of y 1.0", "run", 5))
    told = "sandbox 'x' of y 1.0: run is not async. Write async def run(...)."
    assert str(caught.value) == told
    assert (caught.value.owner, caught.value.call) == ("sandbox 'x' of y 1.0", "run")
