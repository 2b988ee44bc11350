"""Public fakes for people who write components and want to test them without the real parts."""

from mlxlab.testing.policies import ScriptedPolicy
from mlxlab.testing.rewards import ConstantReward
from mlxlab.testing.sandboxes import MemorySandbox
from mlxlab.testing.tasks import ToyTask

__all__ = ["ConstantReward", "MemorySandbox", "ScriptedPolicy", "ToyTask"]
