"""From what is asked to the tokens of a prompt, where they fit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from mlxlab.core.errors import MlxError, UsageError
from mlxlab.core.records import Message
from mlxlab.core.training.states import State
from mlxlab.plugins.policies.local.prompts import Prompt
from mlxlab.plugins.training.sampling import Writer

KEPT = 4096
"""Prompts that are remembered: states come again."""


class Prompts:
    """Writes prompts for a model in training.

    Args:
        writer: of that model.
        context: the most tokens of prompt and answer together; None where nobody says.
        longest: a lower limit of a prompt's tokens than what the context leaves beside an answer.
        warn: hears what is left out.
    """

    def __init__(
        self,
        writer: Writer,
        context: int | None,
        warn: Callable[[str], None],
        longest: int | None = None,
    ) -> None:
        fitting = None if context is None else context - writer.drawing.max_tokens
        limits = [limit for limit in (longest, fitting) if limit is not None]
        self._longest = min(limits, default=None)
        self._writer = writer
        self._warn = warn
        self._known: dict[str, Prompt] = {}

    def of(self, messages: Sequence[Message]) -> Prompt:
        """The prompt of messages; raises MlxError where it cannot be used."""
        prompt = self._writer.prompt(messages)
        if self._longest is not None and len(prompt.ids) > self._longest:
            raise UsageError(
                f"A prompt has {len(prompt.ids)} tokens, and {self._longest} fit beside an answer."
            )
        return prompt

    def of_state(self, state: State) -> Prompt:
        """The prompt of a state; raises MlxError where it cannot be asked."""
        if state.id not in self._known:
            if len(self._known) >= KEPT:
                self._known.clear()
            self._known[state.id] = self.of(state.messages())
        return self._known[state.id]

    def askable(self, states: Sequence[State]) -> list[State]:
        """Those of some states that can be asked; the others are counted and told.

        Raises:
            UsageError: none of them can.
        """
        kept: list[State] = []
        problems: dict[str, str] = {}
        counts: Counter[str] = Counter()
        for state in states:
            try:
                self.of_state(state)
            except MlxError as error:
                kind = type(error).__name__
                counts[kind] += 1
                problems.setdefault(kind, f"{state.id}: {error}")
            else:
                kept.append(state)
        for kind, count in counts.items():
            said = "A state is" if count == 1 else f"{count} states are"
            self._warn(f"{said} left out, whose prompt cannot be used. {problems[kind]}")
        if not kept:
            raise UsageError(
                f"None of {len(states)} recorded states can be asked of this model. "
                + next(iter(problems.values()), ""),
                "Take a base with a longer context, a smaller max_completion_tokens, or a scaffold "
                "with shorter prompts.",
            )
        return kept
