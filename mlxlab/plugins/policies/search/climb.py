"""The `climb` policy: an expert of habit, which listens to ideas."""

from __future__ import annotations

from random import Random

from pydantic import BaseModel, ConfigDict, Field

from mlxlab.core.policy import PolicyRequest
from mlxlab.core.records import Completion
from mlxlab.plugins.policies.search.advice import advice, asks_for_advice
from mlxlab.plugins.policies.search.choices import Choice, Choices, choices, completion
from mlxlab.plugins.policies.search.free import Free
from mlxlab.plugins.policies.search.words import meant

NAME = "climb"


class ClimbConfig(BaseModel):
    """The habits of the expert, as chances of each step."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    explore: float = Field(
        0.7, ge=0, le=1, description="Chance of a family that was not tried yet."
    )
    epsilon: float = Field(0.05, ge=0, le=1, description="Chance of any listed action at all.")
    families: int = Field(
        5, ge=1, description="Families it thinks of unasked: the first that the scaffold lists."
    )
    ideas: bool = Field(True, description="Follow the task's ideas first.")


class Climb(Free):
    """Starts plainly, tries its other families, and changes the best in one setting.

    Where the task comes with ideas, each is tried first: an action that an idea's words mean, drawn
    among those that fit them best. Without ideas it knows `families` families only, the habit that
    exploration is there to widen. It never repeats what was tried, draws by the request's seed,
    and reads the scores from the decision, so every state gets the answer it got in the run.
    """

    def __init__(self, config: ClimbConfig) -> None:
        self.config = config

    async def act(self, request: PolicyRequest) -> Completion:
        """One listed action, or lines of advice where ideas are asked for.

        Raises:
            PolicyError: the scaffold lists no actions.
        """
        if asks_for_advice(request):
            return completion(NAME, advice(NAME, request))
        found = choices(NAME, request)
        rng = Random(request.seed)
        ideas = request.task.ideas if self.config.ideas else ()
        chosen = _by_idea(found, ideas, rng) or self._by_habit(found, rng)
        return completion(NAME, chosen.text, chosen.action)

    def _by_habit(self, found: Choices, rng: Random) -> Choice:
        untried = found.untried(found.all) or found.all
        if rng.random() < self.config.epsilon:
            return rng.choice(untried)
        best = found.best()
        new = self._unseen(found)
        if best is None:
            return rng.choice(found.untried(found.plain) or new or untried)
        if new and rng.random() < self.config.explore:
            return rng.choice(new)
        return rng.choice(found.untried(found.near(best)) or new or untried)

    def _unseen(self, found: Choices) -> list[Choice]:
        """The actions of one habitual family each that nothing was tried of."""
        known = list(dict.fromkeys(choice.family for choice in found.all))[: self.config.families]
        seen = {choice.family for choice in found.all if choice.text in found.scores}
        return [
            choice for choice in found.all if choice.family in known and choice.family not in seen
        ]


def _by_idea(found: Choices, ideas: tuple[str, ...], rng: Random) -> Choice | None:
    """An action of the first idea that nothing tried has followed yet."""
    for idea in ideas:
        fitting = meant(idea, found.all)
        if fitting and len(found.untried(fitting)) == len(fitting):
            return rng.choice(fitting)
    return None
