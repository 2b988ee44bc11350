"""An error of a component's in one line."""

import pytest
from pydantic import BaseModel, ValidationError

from mlxlab.core.boundary import cause_of


class Two(BaseModel):
    first: int
    second: int


def test_pydantics_pointers_to_its_pages_are_left_out() -> None:
    with pytest.raises(ValidationError) as caught:
        Two.model_validate({"first": "x"})
    assert "errors.pydantic.dev" in str(caught.value)
    line = cause_of(caught.value)
    assert "errors.pydantic.dev" not in line and "further information" not in line
    assert "2 validation errors for Two first Input should be" in line
    assert "] second Field required [type=missing" in line and line.endswith("]")
