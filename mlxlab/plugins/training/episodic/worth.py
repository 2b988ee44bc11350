"""What whole episodes are worth."""

from __future__ import annotations

from collections.abc import Sequence

from mlxlab.core.training.episodes import Episode
from mlxlab.plugins.training.episodic.config import Worth
from mlxlab.plugins.training.scoring import Scoring


def worth(episode: Episode, how: Worth, scoring: Scoring) -> float | None:
    """An episode's reward; None where it has none.

    An episode that a fault of sandbox or policy ended has none, since it says nothing about its
    actions. Neither has one without a rewarded action or, for `gain`, on a task without a gap. With
    no score at all the gain is 0: the task's own start is handed in.
    """
    if episode.problem or not episode.turns:
        return None
    if how == "gain":
        return _gain(episode)
    found = [scoring.value(turn.taken)[0] for turn in episode.turns]
    values = [value for value in found if value is not None]
    if not values:
        return None
    return sum(values) / (len(values) if how == "mean" else 1)


def _gain(episode: Episode) -> float | None:
    """(best - m_init) / (m_best - m_init) of public scores."""
    info = episode.turns[0].state.info
    if info.m_init is None or info.m_best is None or info.m_init == info.m_best:
        return None
    best = episode.best()
    score = best.step.observation.public_score if best is not None else None
    return 0.0 if score is None else (score - info.m_init) / (info.m_best - info.m_init)


def told(worths: Sequence[float | None], group: int) -> dict[str, float]:
    """Figures of a step's episodes: their mean reward, and groups that teach nothing."""
    groups = [worths[begin : begin + group] for begin in range(0, len(worths), group)]
    known = [value for value in worths if value is not None]
    there = [{value for value in each if value is not None} for each in groups]
    figures = {
        "episodes": float(len(worths)),
        "groups": float(len(groups)),
        "flat_groups": float(sum(len(each) == 1 for each in there)),
        "empty_groups": float(sum(not each for each in there)),
    }
    if known:
        figures["episode_reward"] = sum(known) / len(known)
    return figures
