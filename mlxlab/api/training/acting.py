"""Where a training's actions are carried out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from mlxlab.api.training.planning import TrainPlan
from mlxlab.core.boundary import whose
from mlxlab.core.hooks import Hooks
from mlxlab.core.training.arena import Arena
from mlxlab.core.training.cache import TransitionCache


@contextmanager
def arena_of(
    plan: TrainPlan, hooks: Hooks, warn: Callable[[str], None], scratch: Path | None
) -> Iterator[Arena | None]:
    """The arena of a plan, closed at the end; None where its trainer takes no actions.

    Executions have one seed in all trainings, so that these can share what they know.
    """
    options, editor, reward = plan.options, plan.parts.editor, plan.parts.reward
    if reward is None:
        yield None
        return
    cache = TransitionCache(options.cache or plan.folder / "transitions", warn)
    try:
        with Arena(
            {reward.ref.spec: reward.instance},
            sandbox=options.sandbox,
            workers=options.workers,
            cache=cache,
            editor=None if editor is None else editor.instance,
            editor_name="" if editor is None else editor.ref.spec,
            exec_timeout_s=options.exec_timeout_s,
            keep_states=plan.parts.keeps_states,
            folder=scratch,
            registry=plan.registry,
            hooks=hooks,
            trust=options.trust,
            owners={reward.ref.spec: whose(reward.ref)},
        ) as arena:
            yield arena
    finally:
        cache.close()
