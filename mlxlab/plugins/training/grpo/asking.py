"""The recorded states that a model can be asked at."""

from __future__ import annotations

from dataclasses import replace

from mlxlab.core.errors import MlxError, UsageError
from mlxlab.core.trainer import TrainJob
from mlxlab.core.training.states import State
from mlxlab.plugins.policies.local.prompts import Prompt
from mlxlab.plugins.training.choosing import pool
from mlxlab.plugins.training.grpo.config import GRPOConfig
from mlxlab.plugins.training.models import Loaded
from mlxlab.plugins.training.sampling import Writer
from mlxlab.plugins.training.sft.ideas import stripped


def asked(
    job: TrainJob, config: GRPOConfig, loaded: Loaded, writer: Writer
) -> list[tuple[State, Prompt]]:
    """The states of a job with their prompts; what is left out is told.

    Raises:
        UsageError: none is left.
    """
    found = pool(job.corpus, without_ideas) if config.ideas == "strip" else pool(job.corpus)
    if found.equal:
        job.warn(f"{found.equal} recorded states were equal to others and count once.")
    room = (loaded.context or 1 << 30) - config.max_completion_tokens
    kept: list[tuple[State, Prompt]] = []
    long = problems = 0
    for state in found.states:
        try:
            prompt = writer.prompt(state.messages())
        except MlxError:
            problems += 1
            continue
        if len(prompt.ids) > room:
            long += 1
        else:
            kept.append((state, prompt))
    if long:
        job.warn(f"{long} states left out: their prompts leave no room for an answer.")
    if problems:
        job.warn(f"{problems} states left out: their prompts are gone or cannot be written.")
    if not kept:
        raise UsageError(
            f"None of {len(found.states)} recorded states can be asked of this model.",
            "Take a model with a longer context, or a smaller max_completion_tokens.",
        )
    return kept


def without_ideas(state: State) -> State:
    """A state whose prompt holds none of the ideas that exploration wove in."""
    try:
        messages = stripped(state.messages(), state.info.ideas)
    except MlxError:  # told when its prompt is asked for
        return state
    return replace(state, said=tuple(messages)) if state.info.ideas else state
