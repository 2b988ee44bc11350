import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlxlab.plugins.tasks.cells import one_style


@pytest.mark.parametrize(
    ("cells", "styled"),
    [
        (["1", "20", ""], ["1", "20", ""]),
        (["1", "2.50", "NA"], ["1.0", "2.5", ""]),
        (["1e3", "-.5"], ["1000.0", "-0.5"]),
        (["007", "12"], ["007", "12"]),
        (["a", "1.0", "NA"], ["a", "1.0", "NA"]),
        (["NA", ""], ["NA", ""]),
        (["0.10000000000000001"], ["0.1"]),
        (["2012/01/01"], ["2012/01/01"]),
        ([], []),
    ],
)
def test_by_hand(cells, styled):
    assert one_style(cells) == styled


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False)))
def test_no_number_changes_and_the_style_does_not_depend_on_the_writer(values):
    plain = one_style([repr(value) for value in values])
    assert [float(cell) for cell in plain] == values
    assert (
        one_style(
            [f"{value!r}0" if "e" not in repr(value) else f"{value:.25e}" for value in values]
        )
        == plain
    )
    assert one_style(plain) == plain
