"""What is written down about each optimizer step, and what a killed training goes on from."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

from mlxlab.core.removal import remove_tree
from mlxlab.core.trainer import TrainJob, TrainProgress
from mlxlab.plugins.training.choosing import Chooser
from mlxlab.plugins.training.grpo.drift import Drift
from mlxlab.plugins.training.grpo.rollouts import Rollouts
from mlxlab.plugins.training.samples import Samples
from mlxlab.plugins.training.scoring import Scored, Scoring

MARK = "whole.json"
"""Written into a checkpoint after everything else: without it, the checkpoint is torn."""
_MEANS = ("reward", "improvement", "valid", "unique", "groups", "flat_groups", "empty_groups")
_LOGGED = {"loss": "loss", "learning_rate": "lr", "grad_norm": "grad_norm"}


def newest(folder: Path) -> tuple[Path, dict[str, Any]] | None:
    """The newest whole checkpoint with its mark; torn ones are removed."""
    whole: list[tuple[int, Path]] = []
    for path in folder.glob("checkpoint-*"):
        if (path / MARK).is_file():
            whole.append((int(path.name.rpartition("-")[2]), path))
        else:
            remove_tree(path)
    if not whole:
        return None
    path = max(whole)[1]
    return path, json.loads((path / MARK).read_text())


class Ledger:
    """Figures, samples and checkpoints of a training, step after step.

    Args:
        total: optimizer steps of the whole training.
        max_s: seconds of it, None without a limit.
        again: optimizer steps on the same actions, which no checkpoint divides.
        group: actions of a group.
        gather: joins lists of all processes.
        main: whether this process writes.
    """

    def __init__(
        self,
        job: TrainJob,
        scoring: Scoring,
        chooser: Chooser,
        *,
        total: int,
        group: int,
        max_s: float | None = None,
        again: int = 1,
        gather: Callable[[list[Any]], list[Any]] = list,
        main: bool = True,
    ) -> None:
        self._job, self._scoring, self._chooser = job, scoring, chooser
        self._total, self._group, self._gather, self._main = total, group, gather, main
        self._max_s, self._again = max_s, again
        self.step = 0
        self.rollouts: Rollouts | None = None
        self.drift: Drift | None = None
        self._samples: Samples | None = None
        self._started = self._ended = perf_counter()
        self._judged: tuple[int, Scored] | None = None
        self._figures: dict[str, float] = {}
        self._logged: dict[str, float] = {}
        self._waiting: list[TrainProgress] = []
        self._transitions = 0
        self._before_s = 0.0
        self._since: float | None = None
        self.first: dict[str, float] = {}
        self.last: dict[str, float] = {}

    def open(self, mark: dict[str, Any] | None) -> None:
        """Begin, or go on from a checkpoint's mark.

        Its steps are told again, in case the kill came before; who heard of them leaves them out.
        """
        if mark is not None:
            self.step = mark["step"]
            self._chooser.restore(mark["seen"])
            self._transitions = mark.get("transitions", 0)
            self._before_s = mark.get("seconds", 0.0)
            self.first = mark["first"]
            for each in mark["steps"]:
                progress = TrainProgress.model_validate(each)
                self.last = progress.figures
                if self._main:
                    self._job.tell(progress)
        if self._main:
            self._samples = Samples(self._job.out, after=0 if mark is None else mark["step"])

    def began(self) -> None:
        """An optimizer step begins; with the first one the training does, since all is loaded."""
        self._started = perf_counter()
        self._since = self._since or self._started

    def ended(self, step: int) -> None:
        """The weights were changed: judge the actions they were changed by."""
        self._ended, self.step = perf_counter(), step
        current = self.rollouts.round if self.rollouts is not None else None
        assert current is not None
        again = self._judged is not None and self._judged[0] == current.number
        if not again:
            rows = [
                (state, completion, future.result())
                for state, completion, future in zip(
                    [each for each in current.states for _ in range(self._group)],
                    current.completions,
                    current.futures,
                    strict=True,
                )
            ]
            states, completions, taken = zip(*self._gather(rows), strict=True)
            scored = self._scoring.judged(states, completions, taken, self._group)
            self._chooser.saw(scored.states, scored.rewards)
            self._judged = current.number, scored
            self._transitions += len(taken) + current.clock.played
            if self._samples is not None:
                self._samples.add(scored.samples(step))
        assert self._judged is not None
        found = self._judged[1].figures
        figures = {name: found[name] for name in _MEANS if name in found} if again else {**found}
        self._figures = {
            **figures,
            "transitions": self._transitions,
            **self._seconds(again),
        }
        if self.drift is not None and self.drift.kl is not None:
            self._figures["kl"] = self.drift.kl

    @property
    def seconds(self) -> float:
        """Of training, in all processes that this one goes on from."""
        here = 0.0 if self._since is None else perf_counter() - self._since
        return self._before_s + here

    @property
    def over(self) -> bool:
        """Whether no step comes after the last one that ended; each process hears the same."""
        if self.step >= self._total:
            return True
        if self._max_s is None or self.step % self._again:
            return False
        return bool(self._gather([self.seconds >= self._max_s])[0])

    def add(self, logs: dict[str, float]) -> None:
        """What the trainer logged about the step."""
        names = {**_LOGGED, "entropy": "entropy", "kl": "kl"}
        self._logged = {names[name]: value for name, value in logs.items() if name in names}

    @property
    def figures(self) -> dict[str, float]:
        """Those of the step that has just ended."""
        return {**self._figures, **self._logged}

    def saved(self, step: int, folder: Path | None) -> None:
        """The step ends; where there is a checkpoint, all steps since the last one are told."""
        figures = self.figures
        if folder is not None:
            figures["save_s"] = perf_counter() - self._ended
        total = self._total if self._max_s is None else None
        progress = TrainProgress(step=step, total=total, figures=figures)
        self._waiting.append(progress)
        self.first = self.first or figures
        self.last = figures
        if folder is None:
            return
        told, self._waiting = self._waiting, []
        if not self._main:
            return
        steps = [each.model_dump(mode="json") for each in told]
        mark = {
            "step": step,
            "seen": self._chooser.kept(),
            "transitions": self._transitions,
            "seconds": self.seconds,
            "first": self.first,
            "steps": steps,
        }
        _mark(folder, mark)
        for each in told:
            self._job.tell(each)

    def close(self) -> None:
        """Close its files; a second call does nothing."""
        if self._samples is not None:
            self._samples.close()

    def _seconds(self, again: bool) -> dict[str, float]:
        step = self._ended - self._started
        current = self.rollouts.round if self.rollouts is not None else None
        if again or current is None:
            return {"generate_s": 0.0, "execute_s": 0.0, "update_s": step, "step_s": step}
        return current.clock.of(step)


class Events:
    """Tells a Ledger what happens; mixed into transformers.TrainerCallback."""

    ledger: Ledger

    def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """The first of a step's backward passes is near."""
        self.ledger.began()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """The optimizer has changed the weights."""
        self.ledger.ended(state.global_step)
        if self.ledger.over:
            control.should_save = control.should_training_stop = True

    def on_log(self, args: Any, state: Any, control: Any, logs: Any, **_: Any) -> None:
        """The trainer's own history would make each checkpoint larger than the one before."""
        del state.log_history[:-1]
        if "loss" in logs and not control.should_save:
            self.ledger.saved(state.global_step, None)

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """The checkpoint is written, all but its mark."""
        folder = Path(args.output_dir) / f"checkpoint-{state.global_step}"
        self.ledger.saved(state.global_step, folder)


def _mark(folder: Path, content: dict[str, Any]) -> None:
    for path in [each for each in folder.rglob("*") if each.is_file()]:
        with path.open("rb") as file:
            os.fsync(file.fileno())
    new = folder / f".{MARK}.new"
    with new.open("w") as file:
        json.dump(content, file)
        file.flush()
        os.fsync(file.fileno())
    new.replace(folder / MARK)
