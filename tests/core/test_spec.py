import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlxlab.core.errors import UsageError
from mlxlab.core.spec import Spec

NAME = st.from_regex(r"[a-z][a-z0-9-]{0,10}", fullmatch=True)


@given(
    name=NAME,
    argument=st.none() | st.text(min_size=1, max_size=20),
    options=st.dictionaries(NAME, st.text(max_size=20), max_size=3),
    distribution=st.none() | NAME,
)
def test_what_is_written_is_read_back(
    name: str, argument: str | None, options: dict[str, str], distribution: str | None
) -> None:
    spec = Spec(name=name, argument=argument, options=options, distribution=distribution)
    assert Spec.parse(str(spec)) == spec


def test_the_forms_of_the_command_line() -> None:
    assert Spec.parse("aide?num_drafts=3&debug_prob=1").options == {
        "num_drafts": "3",
        "debug_prob": "1",
    }
    spec = Spec.parse("openai:model:7b?base_url=http%3A//localhost%3A80/v1")
    assert (spec.name, spec.argument) == ("openai", "model:7b")
    assert spec.options["base_url"] == "http://localhost:80/v1"
    assert Spec.parse("acme::aide").distribution == "acme"
    assert Spec.parse("litellm:a::b").argument == "a::b"


@pytest.mark.parametrize("text", ["", "?a=1", ":x", "aide?novalue", "aide?=1", "aide?a=1&a=2"])
def test_what_is_no_spec(text: str) -> None:
    with pytest.raises(UsageError):
        Spec.parse(text)


def test_values_that_are_no_text_are_written_so_that_they_read_back() -> None:
    spec = Spec(name="x", options={"on": True, "several": ["a", "b&c"], "table": {"a": 1}})
    assert str(spec) == (
        "x?on=true&several=%5B%22a%22,%22b%26c%22%5D&table=%7B%22a%22:1%7D"
    )  # fmt: skip
    assert Spec.parse(str(spec)).options["several"] == '["a","b&c"]'
