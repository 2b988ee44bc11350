"""Episodes that the policy in training plays: where, and with what answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mlxlab.core.errors import MlxError, UsageError
from mlxlab.core.policy import PolicyRequest
from mlxlab.core.records import Completion
from mlxlab.core.trainer import TrainJob
from mlxlab.plugins.policies.local.prompts import Prompt
from mlxlab.plugins.training.prompting import Prompts

Write = Callable[[Sequence[Prompt], str], Sequence[Completion]]
"""Draws one completion for each prompt, by a seed."""


def places(job: TrainJob) -> list[tuple[str, str]]:
    """Where episodes can be played: tasks of recorded states, with the scaffold of each.

    Raises:
        UsageError: there is none.
    """
    states = (example.state for example in job.corpus.examples)
    found = dict.fromkeys(
        (state.task, state.decision.scaffold.spec) for state in states if state.own
    )
    if not found:
        raise UsageError(
            "No recorded step says which task an episode could be played on.",
            "Record some runs first: mlx run --task flights --scaffold linear",
        )
    return list(found)


def answers(
    requests: Sequence[PolicyRequest], prompts: Prompts, write: Write, seed: str
) -> list[Completion | MlxError]:
    """One round's answers; a prompt that cannot be used ends its episode alone."""
    asked: dict[int, Prompt] = {}
    found: dict[int, Completion | MlxError] = {}
    for place, request in enumerate(requests):
        try:
            asked[place] = prompts.of(request.messages)
        except MlxError as error:
            found[place] = error
    if asked:
        found.update(zip(asked, write(list(asked.values()), seed), strict=True))
    return [found[place] for place in range(len(requests))]
