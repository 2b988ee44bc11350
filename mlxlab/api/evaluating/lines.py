"""Policies that a trained one has to beat: a constant, and probes followed by random search."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from mlxlab.api.evaluating.grids import Kinds
from mlxlab.core.policy import PolicyRequest
from mlxlab.core.records import Completion
from mlxlab.core.scaffold import TRIED, Listing, Scaffold


class Constant:
    """Answers every state of a type of task with the same action.

    Args:
        chosen: the action's text by type of task; "" is for every other type.
        kinds: tells the types.
    """

    def __init__(self, chosen: Mapping[str, str], kinds: Kinds) -> None:
        self._chosen = chosen
        self._kinds = kinds

    async def act(self, request: PolicyRequest) -> Completion:
        """The constant of the task's type."""
        return Completion(text=self._chosen.get(self._kinds.of(request.decision), self._chosen[""]))

    async def close(self) -> None:
        """Holds nothing."""


PROBES = {"probes + random": 0, "free probes + random": 3}
"""Plain actions, then random ones, by how many of the first are not counted: with none, as many
executions in all as every policy has."""


class ProbesThenRandom:
    """Tries a task's plain actions first, the free probes, then others at random, none twice."""

    def __init__(self, scaffold: Scaffold) -> None:
        self._scaffold = scaffold

    async def act(self, request: PolicyRequest) -> Completion:
        """The first plain action that was not tried, else any other one."""
        scaffold, decision = self._scaffold, request.decision
        assert isinstance(scaffold, Listing)
        tried = {text for text, _ in decision.extra.get(TRIED, ())}
        plain = [scaffold.render(decision, action) for action in scaffold.plain(decision)]
        if left := [text for text in plain if text not in tried]:
            return Completion(text=left[0])
        texts = [scaffold.render(decision, action) for action in scaffold.actions(decision)]
        others = [text for text in texts if text not in tried] or texts
        return Completion(text=Random(request.seed).choice(others))

    async def close(self) -> None:
        """Holds nothing."""
