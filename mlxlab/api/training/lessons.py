"""What kept a training's actions from teaching anything, over all its steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mlxlab.core.trainer import TrainProgress


def nothing_learned(steps: Sequence[TrainProgress]) -> str:
    """Why nothing was learned, as far as the trainer counts actions and groups; empty: it was."""
    fresh = _judged(steps)
    actions, unvalued = _sum(fresh, "actions"), _sum(fresh, "unvalued")
    groups, flat = _sum(fresh, "groups"), _sum(fresh, "flat_groups", "empty_groups")
    if actions and unvalued == actions:
        return f"no action had a reward ({unvalued} of {actions}): nothing was learned"
    if groups and flat == groups:
        return f"every group was flat ({flat} of {groups}): nothing was learned"
    return ""


def lessons(steps: Sequence[TrainProgress]) -> Iterator[str]:
    """What a training's actions lacked, in lines for its summary.

    Args:
        steps: those of the whole training.
    """
    if why := nothing_learned(steps):
        yield why
    fresh = _judged(steps)
    actions, unvalued = _sum(fresh, "actions"), _sum(fresh, "unvalued")
    if 0 < unvalued < actions:
        yield f"{unvalued} of {actions} actions had no reward"
    valid = [each.figures["valid"] for each in fresh if "valid" in each.figures]
    if valid and not any(valid):
        yield "no sampled action was valid: fine-tune longer first, with more steps of sft"


def _judged(steps: Sequence[TrainProgress]) -> Sequence[TrainProgress]:
    """The steps with actions of their own: where a batch serves several, others tell it again."""
    return [each for each in steps if "actions" in each.figures] or steps


def _sum(steps: Sequence[TrainProgress], *names: str) -> int:
    return round(sum(each.figures.get(name, 0.0) for each in steps for name in names))
