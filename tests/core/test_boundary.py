"""An error of a component's in one line."""

import pytest
from pydantic import BaseModel, ValidationError

from mlxlab.core.boundary import cause_of


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
