"""An error of a component's in one line."""

import asyncio

import pytest
from pydantic import BaseModel, ValidationError

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


def test_what_is_not_async_is_told_how_to_write_it() -> None:
    async def five() -> int:
        return 5

    assert asyncio.run(awaited("sandbox 'x' of y 1.0", "run", five())) == 5
    with pytest.raises(PluginError) as caught:
        asyncio.run(awaited("sandbox 'x' of y 1.0", "run", 5))
    told = "sandbox 'x' of y 1.0: run is not async. Write async def run(...)."
    assert str(caught.value) == told
    assert (caught.value.owner, caught.value.call) == ("sandbox 'x' of y 1.0", "run")
