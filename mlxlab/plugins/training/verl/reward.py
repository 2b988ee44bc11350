"""The reward function that verl calls, in whatever process it calls it."""

from __future__ import annotations

import atexit
import json
import warnings
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

from mlxlab.core.errors import RecordError, UsageError
from mlxlab.core.records import Completion
from mlxlab.core.registry import Registry
from mlxlab.core.training.arena import Arena
from mlxlab.core.training.cache import TransitionCache
from mlxlab.core.training.examples import gather
from mlxlab.core.training.states import State
from mlxlab.plugins.training.verl.export import SETTINGS, VerlConfig

TRANSITIONS = "transitions"
_NAME = "reward"
Score = Callable[[str, Mapping[str, Any] | None], dict[str, float]]


def scorer(folder: Path) -> Score:
    """The reward function of an exported folder; the arena is made at the first answer.

    It returns `score` for verl, and `valued`, 0 where the action had no reward: why that is so is a
    warning, once for each reason.
    """
    config = VerlConfig.model_validate(json.loads((folder / SETTINGS).read_text()))
    made: list[Arena] = []
    lock = Lock()

    def arena() -> Arena:
        with lock:
            if not made:
                made.append(_arena(config, folder))
            return made[0]

    def score(text: str, extra: Mapping[str, Any] | None) -> dict[str, float]:
        state = _state(str((extra or {}).get("run", "")), str((extra or {}).get("state", "")))
        if not (state.own or config.trust):
            raise _stranger(state)
        taken = arena().submit(state, Completion(text=text)).result()
        judged = taken.rewards.get(_NAME)
        if judged is None or judged.value is None:
            why = taken.failed if judged is None else judged.reason
            _tell(f"An action has no reward and is scored {config.missing:g}: {why}")
            return {"score": config.missing, "valued": 0.0}
        return {"score": judged.value, "valued": 1.0}

    return score


def _arena(config: VerlConfig, folder: Path) -> Arena:
    registry = Registry.installed()
    editor = None if config.editor is None else registry.create("policy", config.editor)
    cached = TransitionCache(folder / TRANSITIONS, _tell)
    atexit.register(cached.close)
    return Arena(
        {_NAME: registry.create("reward", config.reward).instance},
        sandbox=config.sandbox,
        workers=config.workers,
        cache=cached,
        editor=None if editor is None else editor.instance,
        editor_name="" if editor is None else editor.ref.spec,
        exec_timeout_s=config.exec_timeout_s,
        registry=registry,
        trust=config.trust,
    )


def _tell(line: str) -> None:
    """By the way that libraries have in a process that is not theirs."""
    warnings.warn(line, RuntimeWarning, stacklevel=3)


def _stranger(state: State) -> UsageError:
    return UsageError(
        f"Nothing is carried out at {state.id}: this user did not record the run.",
        "Score where it was recorded, or export it here with --format 'verl?trust=true'.",
    )


def _state(run: str, name: str) -> State:
    found = _states(run).get(name)
    if found is None:
        raise RecordError(f"The run '{run}' holds no state '{name}'.", "Export it again.")
    return found


@cache
def _states(run: str) -> dict[str, State]:
    return {each.state.id: each.state for each in gather([Path(run)]).examples}
