"""The built-in rewards, with the options that change what they say, put to the suite of all."""

from typing import ClassVar

from mlxlab.core.registry import Registry
from mlxlab.core.reward import Reward
from mlxlab.testing import RewardConformance


class Installed(RewardConformance):
    spec: ClassVar[str]

    @classmethod
    def make(cls) -> Reward:
        reward: Reward = Registry.installed().create("reward", cls.spec).instance
        return reward


class TestMLAgent(Installed):
    spec = "ml-agent"


class TestMLAgentVersion2(Installed):
    spec = "ml-agent?version=2"


class TestMLAgentAblated(Installed):
    spec = "ml-agent?signal=binary&format=false&corner=false&idle=0.25"


class TestImprovement(Installed):
    spec = "improvement"


class TestValid(Installed):
    spec = "valid"


class TestHumanRank(Installed):
    spec = "human-rank"


class TestHumanRankOfThePaper(Installed):
    spec = "human-rank?variant=paper&boards=all"


class TestWeighted(Installed):
    spec = "weighted:ml-agent=0.7,valid=-0.3"
