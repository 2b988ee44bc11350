"""Where two values begin to differ is said with the way to it, and no more than that is quoted."""

import pytest

from mlxlab.core.records import Message
from mlxlab.testing.kit.differing import difference

LONG = "x" * 800


@pytest.mark.parametrize(
    ("one", "other", "told"),
    [
        (
            [{"content": "a"}, {"content": f"{LONG}, left: 1795.2 s"}],
            [{"content": "a"}, {"content": f"{LONG}, left: 1795.9 s"}],
            "messages[1].content at char 813: '...xxxxxxxxxxx, left: 1795.2 s' / "
            "'...xxxxxxxxxxx, left: 1795.9 s'",
        ),
        (
            [Message(role="user", content="a\n")],
            [Message(role="user", content="a\n\x1b")],
            r"messages[0].content at char 2: 'a\n' / 'a\n\x1b'",
        ),
        ({"some key": 1.0}, {"some key": 2.0}, "messages['some key']: 1.0 / 2.0"),
        ([1], [1, 2], "messages: 1 items / 2 items"),
        (None, LONG, f"messages: None / '{'x' * 119}..."),
    ],
)
def test_the_first_difference_is_told_with_its_path(one: object, other: object, told: str) -> None:
    assert difference(one, other, "messages") == told


def test_the_path_begins_without_a_dot() -> None:
    assert difference({"choice": "ab"}, {"choice": "ac"}) == "choice at char 1: 'ab' / 'ac'"
