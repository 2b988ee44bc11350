"""What every built-in reward promises, whatever the step."""

from __future__ import annotations

from math import isfinite

import pytest
from hypothesis import given, settings

from mlxlab.core.boundary import number_problem
from mlxlab.core.reward import Reward
from mlxlab.rewards.improvement import Improvement
from mlxlab.rewards.ml_agent import MLAgentConfig, MLAgentReward
from mlxlab.rewards.valid import Valid
from mlxlab.rewards.weighted import Weighted, WeightedConfig
from tests.rewards.reward_steps import TASKS, VIEWS

REWARDS = {
    "ml-agent 1": MLAgentReward(MLAgentConfig()),
    "ml-agent 2": MLAgentReward(MLAgentConfig(version=2)),
    "improvement": Improvement(),
    "valid": Valid(),
    "binary": MLAgentReward(MLAgentConfig(version=2, signal="binary", idle=-0.2)),
    "ablated": MLAgentReward(MLAgentConfig(format=False, corner=False, idle=0.1)),
    "weighted": Weighted(WeightedConfig(mixture="ml-agent=0.5,improvement=-2,valid=1")),
}


@pytest.mark.parametrize("name", REWARDS)
def test_fits_the_contract(name):
    assert isinstance(REWARDS[name], Reward)


@pytest.mark.parametrize("name", REWARDS)
@given(step=VIEWS, info=TASKS)
@settings(max_examples=500, deadline=None)
def test_is_pure_finite_in_range_and_explained(name, step, info):
    reward = REWARDS[name]
    before = (step.model_copy(deep=True), info.model_copy(deep=True))
    judged = reward.judge(step, info)
    assert repr(judged) == repr(reward.judge(step, info))
    assert repr((step, info)) == repr(before)
    assert judged.reason
    assert all(isfinite(part) for part in judged.parts.values())
    if judged.value is not None:
        assert not number_problem(judged.value)
        assert reward.range[0] <= judged.value <= reward.range[1]
