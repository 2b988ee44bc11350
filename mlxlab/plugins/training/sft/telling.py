"""What TRL's trainer is told to do beside its steps: to save, to validate, to tell of it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from math import isfinite
from pathlib import Path
from typing import Any

from mlxlab.core.errors import UsageError
from mlxlab.core.trainer import TrainProgress

WHOLE = "whole.json"
"""Written into a checkpoint last of all: one without it was cut off."""
_SHARE = 9
"""Training takes at least so many times as long as saving, where the clock says when."""
_NAMES = {
    "loss": "loss",
    "learning_rate": "lr",
    "grad_norm": "grad_norm",
    "entropy": "entropy",
    "mean_token_accuracy": "token_accuracy",
    "eval_loss": "eval_loss",
}


class Telling:
    """Saves each step, or by the clock, and tells of steps once a checkpoint holds them.

    Args:
        total: optimizer steps in all.
        save_s: seconds of training between two checkpoints, at least; None: each step is saved.
        tell: who hears of steps.
        validated: is given step and loss of each validation, and returns further figures.
        main: whether this process is the one that tells, of those that train together.
    """

    def __init__(
        self,
        total: int,
        save_s: float | None,
        tell: Callable[[TrainProgress], None],
        validated: Callable[[int, float], dict[str, float]],
        main: bool = True,
    ) -> None:
        self.first: dict[str, float] = {}
        self.last: dict[str, float] = {}
        self.before_s = 0.0
        self.total = total
        self._save_s = save_s
        self._tell = tell
        self._validated = validated
        self._main = main
        self._untold: list[TrainProgress] = []
        self._began = self._saved = self._stepped = time.perf_counter()
        self._saving_s = 0.0
        self._tokens = 0.0

    @property
    def seconds(self) -> float:
        """Of training, in all processes that this one goes on from."""
        return self.before_s + time.perf_counter() - self._began

    def callback(self) -> Any:
        """What TRL's trainer takes."""
        from transformers import TrainerCallback

        callback = TrainerCallback()
        for name in ("on_train_begin", "on_step_end", "on_log", "on_evaluate", "on_save"):
            setattr(callback, name, getattr(self, name))
        return callback

    def go_on(self, checkpoint: Path) -> None:
        """Take up what a checkpoint's training had told.

        Its steps are told again, in case a kill came in between; who heard of them leaves them out.
        """
        kept = json.loads((checkpoint / WHOLE).read_text())
        self.first, self.last, self.before_s = kept["first"], kept["last"], kept["seconds"]
        self._tokens = kept["tokens"]
        for step in kept.get("steps", []) if self._main else []:
            self._tell(TrainProgress.model_validate(step))

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """The clock starts with the first step."""
        self._saved = self._stepped = time.perf_counter()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> Any:
        """Ask for a checkpoint where one is due."""
        if state.global_step >= self.total or self._due():
            control.should_save = True
        return control

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        """Keep a step's figures until they are safe.

        The trainer's own history would make each checkpoint larger than the one before.
        """
        del state.log_history[:-1]
        found = {name: float(logs[key]) for key, name in _NAMES.items() if key in logs}
        if "loss" not in found:
            return
        if not isfinite(found["loss"]):
            raise UsageError(
                f"The loss of step {state.global_step} is {found['loss']}.",
                "Take a smaller lr, or dtype=float32; the last checkpoint before it is kept.",
            )
        now = time.perf_counter()
        found["step_s"] = found["update_s"] = now - self._stepped
        tokens = float(logs.get("num_tokens", 0.0))
        found["tokens_s"] = (tokens - self._tokens) / found["step_s"]
        self._stepped, self._tokens = now, tokens
        self._untold.append(TrainProgress(step=state.global_step, total=self.total, figures=found))

    def on_evaluate(
        self, args: Any, state: Any, control: Any, metrics: Any = None, **_: Any
    ) -> None:
        """Add a validation's figures to those of its step."""
        loss = float(metrics["eval_loss"])
        more = {"eval_loss": loss, **self._validated(state.global_step, loss)}
        if self._untold and self._untold[-1].step == state.global_step:
            latest = self._untold[-1]
            update = {"figures": {**latest.figures, **more}}
            self._untold[-1] = latest.model_copy(update=update)
        self._stepped = time.perf_counter()

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """A checkpoint is written: mark it as whole, and tell of what it holds."""
        untold, self._untold = self._untold, []
        if untold and not self.first:
            self.first = untold[0].figures
        for progress in untold:
            self.last = {**self.last, **progress.figures}
        now = time.perf_counter()
        self._saving_s = now - self._stepped
        self._saved = self._stepped = now
        if self._main:
            self._mark(Path(args.output_dir) / f"checkpoint-{state.global_step}", untold)
            for progress in untold:
                self._tell(progress)

    def _due(self) -> bool:
        if self._save_s is None:
            return True
        since = time.perf_counter() - self._saved
        return _first_says(since >= max(self._save_s, _SHARE * self._saving_s))

    def _mark(self, checkpoint: Path, untold: list[TrainProgress]) -> None:
        new = checkpoint / f".{WHOLE}.new"
        told = {
            "first": self.first,
            "last": self.last,
            "seconds": self.seconds,
            "tokens": self._tokens,
            "steps": [progress.model_dump(mode="json") for progress in untold],
        }
        new.write_text(json.dumps(told))
        new.replace(checkpoint / WHOLE)


def _first_says(due: bool) -> bool:
    """What the first process says: clocks differ, and what is sharded is saved by all at once."""
    from accelerate.utils import broadcast_object_list

    return bool(broadcast_object_list([due])[0])


def newest_whole(folder: Path) -> Path | None:
    """The newest checkpoint of TRL's that was written to its end."""
    found = [
        (int(path.name.rpartition("-")[2]), path)
        for path in folder.glob("checkpoint-*")
        if (path / WHOLE).is_file()
    ]
    return max(found)[1] if found else None
