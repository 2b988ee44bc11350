"""What a search chooses from: a scaffold's listed actions, and what was tried of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from mlxlab.core.actions import Action
from mlxlab.core.errors import MlxError, PolicyError
from mlxlab.core.policy import PolicyRequest
from mlxlab.core.records import Completion, Decision, Usage
from mlxlab.core.registry import Registry
from mlxlab.core.scaffold import TRIED, Listing, Scaffold
from mlxlab.core.task import TaskInfo

Settings = dict[str, Any]


@dataclass(frozen=True)
class Choice:
    """One listed action, and the text that says it.

    Args:
        settings: the text as JSON, where it is an object; else empty.
    """

    action: Action
    text: str
    settings: Settings

    @property
    def family(self) -> str:
        """What the first setting says: the model family, in recipes."""
        return str(next(iter(self.settings.values()), self.text))


class Choices:
    """The choices at one decision, in the scaffold's own order."""

    def __init__(self, scaffold: Listing, decision: Decision, task: TaskInfo) -> None:
        self._scaffold = scaffold
        self._decision = decision
        self._better = task.metric.better

    @cached_property
    def all(self) -> list[Choice]:
        """Every listed edit; raises PolicyError where there is none."""
        made = self._made(self._scaffold.actions(self._decision))
        if not made:
            name = self._decision.scaffold.name
            raise PolicyError(f"The scaffold '{name}' lists no action for this decision.")
        return made

    @cached_property
    def plain(self) -> list[Choice]:
        """The plainest of them."""
        return self._made(self._scaffold.plain(self._decision))

    def near(self, choice: Choice) -> list[Choice]:
        """Those that differ from one in a single setting."""
        return self._made(self._scaffold.near(self._decision, choice.action))

    @cached_property
    def scores(self) -> dict[str, float | None]:
        """What was tried, with its scores, in the order of the trials."""
        pairs = self._decision.extra.get(TRIED, ())
        return {str(text): score for text, score in pairs}

    def untried(self, choices: Sequence[Choice]) -> list[Choice]:
        """Those that were not tried before."""
        return [choice for choice in choices if choice.text not in self.scores]

    def best(self) -> Choice | None:
        """The best of those that were tried and have a score; the earliest of equals."""
        known = {choice.text: choice for choice in self.all}
        best: tuple[float, Choice] | None = None
        for text, score in self.scores.items():
            if score is None or text not in known:
                continue
            if best is None or self._better(score, best[0]):
                best = score, known[text]
        return best[1] if best else None

    def _made(self, actions: Sequence[Action]) -> list[Choice]:
        scaffold = self._scaffold
        assert isinstance(scaffold, Scaffold)
        texts = [scaffold.render(self._decision, action) for action in actions]
        return [
            Choice(action, text, _settings(text))
            for action, text in zip(actions, texts, strict=True)
        ]


def listing(policy: str, spec: str) -> Listing:
    """The scaffold of a decision; raises PolicyError if its actions cannot be listed."""
    try:
        made: object = Registry.installed().create("scaffold", spec).instance
    except MlxError as error:
        raise PolicyError(f"The policy '{policy}' cannot make the scaffold: {error}") from error
    if not isinstance(made, Listing):
        raise PolicyError(
            f"The policy '{policy}' chooses among listed actions, and the scaffold '{spec}' "
            "lists none.",
            "Use --scaffold recipe.",
        )
    return made


def choices(policy: str, request: PolicyRequest) -> Choices:
    """What can be chosen from in answer to a request."""
    if request.role not in ("policy", "repair"):
        raise PolicyError(
            f"The policy '{policy}' chooses actions; it edits and reads no files.",
            "Name an editor with --editor.",
        )
    scaffold = listing(policy, request.decision.scaffold.spec)
    return Choices(scaffold, request.decision, request.task)


def completion(policy: str, text: str, action: Action | None = None) -> Completion:
    """An answer that cost nothing."""
    return Completion(
        text=text,
        action=action,
        usage=Usage(prompt_tokens=0, completion_tokens=0, reasoning_tokens=0),
        cost_usd=0.0,
        model=policy,
        finish_reason="stop",
    )


def _settings(text: str) -> Settings:
    try:
        read = json.loads(text)
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}
