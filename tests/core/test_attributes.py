"""What a reward states is looked at when it is named."""

import pytest

from mlxlab.core.attributes import attribute_problem
from mlxlab.core.boundary import whose
from mlxlab.core.records import ComponentRef
from mlxlab.testing.rewards import ConstantReward


@pytest.mark.parametrize(
    ("needs", "told"),
    [
        (frozenset(), ""),
        (frozenset({"probe", "boards"}), ""),
        (
            frozenset({"stderr", "probe"}),
            "needs names 'stderr', and what a reward can ask for is 'probe' and 'boards'",
        ),
        (frozenset({3}), "needs holds 3, no name"),
        ("probe", "needs is str, no set of names"),
    ],
)
def test_what_a_reward_needs_is_something_that_there_is(needs: object, told: str) -> None:
    reward = ConstantReward()
    reward.needs = needs  # type: ignore[assignment]
    assert attribute_problem("reward", reward) == told


def test_a_component_of_no_distribution_is_named_without_one() -> None:
    ref = ComponentRef(kind="scaffold", name="tested", spec="tested")
    assert whose(ref) == "scaffold 'tested'"
    assert whose(ref.model_copy(update={"version": "own 1"})) == "scaffold 'tested' of own 1"
