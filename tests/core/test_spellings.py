"""Rewards of a step, found by the manifest's specs in runs of every age."""

from __future__ import annotations

import pytest

from mlxlab.core.records import ComponentRef, RewardValue
from mlxlab.core.spellings import by_spec


@pytest.mark.parametrize(
    ("names", "specs", "found"),
    [
        (["haste:10.0"], ["haste:10.0"], ["haste:10.0"]),
        (["haste:10", "valid"], ["haste:10.0", "valid"], ["haste:10.0", "valid"]),
        (["haste:10", "haste"], ["haste:10.0", "haste"], ["haste:10.0", "haste"]),
        (["haste:1", "haste:2"], ["haste:1.0", "haste:2.0"], ["haste:1", "haste:2"]),  # either?
        (["a::haste:10"], ["haste:10.0"], ["a::haste:10"]),
        (["?", "", "strange"], ["haste:10.0"], ["?", "", "strange"]),
    ],
)
def test_a_value_is_found_under_the_spec(
    names: list[str], specs: list[str], found: list[str]
) -> None:
    values = {name: RewardValue(value=float(n), reason="") for n, name in enumerate(names)}
    refs = [ComponentRef(kind="reward", name=s, spec=s, version="", config={}) for s in specs]
    judged = by_spec(values, refs)
    assert list(judged) == found
    assert [value.value for value in judged.values()] == [float(n) for n in range(len(names))]
