"""Rewards for tests: a fake, and the suite that every reward can be put to."""

from mlxlab.testing.rewards.conformance import RewardConformance
from mlxlab.testing.rewards.constant import ConstantReward

__all__ = ["ConstantReward", "RewardConformance"]
