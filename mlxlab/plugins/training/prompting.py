"""From what is asked to the tokens of a prompt, where they fit."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mlxlab.core.errors import MlxError, UsageError
from mlxlab.core.records import Message
from mlxlab.core.training.states import State
from mlxlab.plugins.policies.local.prompts import Prompt
from mlxlab.plugins.training.learning import Learner
from mlxlab.plugins.training.sampling import Writer

KEPT = 4096
"""Prompts that are remembered: states come again."""


class Prompts:
    """Writes prompts for a model in training; a state whose prompt cannot be used is left out.

    Args:
        warn: hears once of each kind of prompt that cannot.
    """

    def __init__(self, learner: Learner, writer: Writer, warn: Callable[[str], None]) -> None:
        config, context = learner.config, learner.loaded.context
        fitting = None if context is None else context - config.max_completion_tokens
        limits = [limit for limit in (config.max_prompt_tokens, fitting) if limit is not None]
        self._longest = min(limits, default=None)
        self._writer = writer
        self._warn = warn
        self._told: set[str] = set()
        self._known: dict[str, Prompt] = {}

    def of(self, messages: Sequence[Message]) -> Prompt:
        """The prompt of messages; raises MlxError where it cannot be used."""
        prompt = self._writer.prompt(messages)
        if self._longest is not None and len(prompt.ids) > self._longest:
            raise UsageError(
                f"A prompt has {len(prompt.ids)} tokens, and {self._longest} fit beside an answer."
            )
        return prompt

    def usable(self, states: Sequence[State]) -> tuple[list[State], list[Prompt]]:
        """Those of some states that can be asked, with their prompts.

        Raises:
            UsageError: none of them can.
        """
        kept: list[State] = []
        prompts: list[Prompt] = []
        problem = "there is none"
        for state in states:
            try:
                prompts.append(self._of_state(state))
                kept.append(state)
            except MlxError as error:
                problem = str(error)
                self._tell(state, error)
        if not kept:
            raise UsageError(
                f"None of a step's {len(states)} states can be asked: {problem}",
                "Take a base with a longer context, a smaller max_completion_tokens, or a scaffold "
                "with shorter prompts.",
            )
        return kept, prompts

    def _of_state(self, state: State) -> Prompt:
        if state.id not in self._known:
            if len(self._known) >= KEPT:
                self._known.clear()
            self._known[state.id] = self.of(state.messages())
        return self._known[state.id]

    def _tell(self, state: State, error: MlxError) -> None:
        kind = type(error).__name__
        if kind not in self._told:
            self._told.add(kind)
            self._warn(f"The state {state.id} is left out, and others like it: {error}")
