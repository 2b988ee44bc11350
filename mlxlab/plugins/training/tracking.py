"""Trackers such as tensorboard and wandb in the trainers with an own loop, through accelerate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlxlab.core.errors import UsageError


def named(said: str) -> list[str]:
    """The trackers of an option such as `tensorboard,wandb`; `none` is none.

    Raises:
        UsageError: accelerate knows no such tracker, or its package is not installed.
    """
    from accelerate.tracking import filter_trackers

    names = [name.strip() for name in said.split(",")]
    names = [name for name in names if name not in ("", "none")]
    for name in names:
        try:
            found = filter_trackers([name], "")
        except ValueError as error:
            raise UsageError(f"There is no tracker '{name}': {error}") from error
        if not found:
            raise UsageError(f"The tracker '{name}' is not installed.", f"pip install {name}")
    return names


def begin(accelerator: Any, project: str, options: Mapping[str, Any]) -> None:
    """Have the trackers of an Accelerator begin a run with these options."""
    plain = {
        name: value
        for name, value in options.items()
        if isinstance(value, str | int | float | bool)
    }
    accelerator.init_trackers(project, config=plain)


def end(accelerator: Any) -> None:
    """Close the trackers; accelerate's own way would end the work of several processes as well."""
    for tracker in accelerator.trackers:
        tracker.finish()
    accelerator.trackers.clear()
