"""The `random` policy: the line that every search and every trained policy must beat."""

from __future__ import annotations

from random import Random

from pydantic import BaseModel, ConfigDict, Field

from mlxlab.core.policy import PolicyRequest
from mlxlab.core.records import Completion
from mlxlab.plugins.policies.search.choices import choices, completion
from mlxlab.plugins.policies.search.free import Free

NAME = "random"


class RandomSearchConfig(BaseModel):
    """Whether a recipe may be drawn again."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    repeat: bool = Field(True, description="Draw from all listed actions, tried before or not.")


class RandomSearch(Free):
    """Draws uniformly from the actions that the scaffold lists; the request's seed decides."""

    def __init__(self, config: RandomSearchConfig) -> None:
        self.config = config

    async def act(self, request: PolicyRequest) -> Completion:
        """One listed action; with `repeat=false` one that was not tried, while there are any.

        Raises:
            PolicyError: the scaffold lists no actions.
        """
        found = choices(NAME, request)
        pool = found.all if self.config.repeat else found.untried(found.all) or found.all
        drawn = Random(request.seed).choice(pool)
        return completion(NAME, drawn.text, drawn.action)
