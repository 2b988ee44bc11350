"""Policies that choose among the actions a scaffold lists: no language model, no cost."""

from mlxlab.plugins.policies.search.climb import Climb, ClimbConfig
from mlxlab.plugins.policies.search.uniform import RandomSearch, RandomSearchConfig

__all__ = ["Climb", "ClimbConfig", "RandomSearch", "RandomSearchConfig"]
