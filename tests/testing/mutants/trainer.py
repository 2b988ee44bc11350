"""For each check of trainers a trainer that breaks its promise, and what the check says of it."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from shutil import copytree, rmtree
from typing import Any

from mlxlab.core.records import Completion
from mlxlab.core.spec import Spec
from mlxlab.core.trainer import CHECKPOINTS, Estimate, Machine, PolicyRef, TrainJob, TrainProgress
from mlxlab.testing.trainers import RecordingConfig, RecordingTrainer
from mlxlab.testing.trainers.recording import write


class Good(RecordingTrainer):
    """Keeps every promise."""

    def __init__(self) -> None:
        super().__init__(RecordingConfig(steps=3))


class Acting(Good):
    """Takes an action for each example."""

    needs_arena = True
    repeats = False

    def train(self, job: TrainJob) -> PolicyRef:
        assert job.arena is not None
        if self.repeats or not (job.out / "final").exists():
            for example in job.corpus.examples:
                job.arena.submit(example.state, Completion(text=example.text)).result()
        return super().train(job)


class Around(Good):
    """Trains with another job, or does something first, or last."""

    def __init__(
        self,
        job: Callable[[TrainJob], TrainJob] = lambda job: job,
        first: Callable[[TrainJob], object] = lambda job: None,
        last: Callable[[TrainJob, PolicyRef], PolicyRef] = lambda job, ref: ref,
    ) -> None:
        super().__init__()
        self._job, self._first, self._last = job, first, last

    def train(self, job: TrainJob) -> PolicyRef:
        self._first(job)
        return self._last(job, super().train(self._job(job)))


def told(change: Callable[[TrainProgress], Any]) -> Around:
    """Tells something else."""

    def changed(job: TrainJob) -> TrainJob:
        def tell(progress: TrainProgress) -> None:
            if (now := change(progress)) is not None:
                job.tell(now)

        return replace(job, tell=tell)

    return Around(job=changed)


def figured(**figures: float) -> Around:
    return told(lambda p: p.model_copy(update={"figures": {**p.figures, **figures}}))


def copied(job: TrainJob, ref: PolicyRef) -> PolicyRef:
    """The base under the result's name."""
    final = job.out / "final"
    rmtree(final)
    copytree(Path(Spec.parse(job.base.spec).argument or ""), final)
    (final / "README.md").write_text("new")
    return ref


class Hasty(Good):
    """Tells of a step before it writes it down."""

    def _step(self, job: TrainJob, kept: Path, step: int) -> None:
        figures = {"loss": 1.0, "step_s": time.perf_counter()}
        job.tell(TrainProgress(step=step, total=3, figures=figures))
        write(kept / f"step-{step}.json", {"step": step})


class Strict(Good):
    """Takes a folder that something was left in for done."""

    def train(self, job: TrainJob) -> PolicyRef:
        quiet = replace(job, tell=lambda progress: None)
        return super().train(quiet if (job.out / CHECKPOINTS).exists() else job)


class Swallowing(Good):
    def train(self, job: TrainJob) -> PolicyRef:
        try:
            return super().train(job)
        except KeyboardInterrupt:
            return PolicyRef(spec=f"local:{job.out / 'final'}")


class Forgetful(Good):
    """Begins anew over a training that is done."""

    def train(self, job: TrainJob) -> PolicyRef:
        if (job.out / "final").exists():
            rmtree(job.out / CHECKPOINTS)
        return super().train(job)


class Estimated(Good):
    def estimate(self, job: TrainJob, machine: Machine) -> list[Estimate]:
        return [Estimate(name="time", value="")]


class Fragile(Acting):
    def train(self, job: TrainJob) -> PolicyRef:
        assert job.arena is not None
        for example in job.corpus.examples:
            taken = job.arena.submit(example.state, Completion(text="x")).result()
            json.dumps(taken.rewards[job.reward].value)
        return super().train(job)


class Idle(Good):
    needs_arena = True


class Keeping(Good):
    keeps_states = True


def beside(job: TrainJob) -> None:
    Path("stray").write_text("the same at each training")


def into_base(job: TrainJob) -> None:
    (Path(Spec.parse(job.base.spec).argument or "") / "config.json").write_text(job.out.name)


class Unfed(Good):
    """Learns from nothing without a word."""

    def train(self, job: TrainJob) -> PolicyRef:
        (job.out / CHECKPOINTS).mkdir(exist_ok=True)
        return self._finish(job) if not job.corpus.examples else super().train(job)


def misspelt(job: TrainJob, ref: PolicyRef) -> PolicyRef:
    return PolicyRef(spec=ref.spec.replace("local:", "lokal:"))


def elsewhere(job: TrainJob, ref: PolicyRef) -> PolicyRef:
    return PolicyRef(spec=f"{ref.spec}/model")


MUTANTS: dict[str, tuple[Callable[[], Any], str]] = {
    "base_untouched": (lambda: Around(first=into_base), "the base was changed: config.json"),
    "done_is_done": (Forgetful, "taken again: [1, 2, 3]"),
    "empty_corpus": (Unfed, "an empty corpus was trained on"),
    "estimates": (Estimated, "a line says nothing"),
    "every_step_is_told": (
        lambda: told(lambda p: None if p.step == 2 else p),
        "the steps that were told are [1, 3]",
    ),
    "figures_are_numbers": (lambda: figured(loss=float("nan")), "of step 1 are no numbers"),
    "goes_on_after_a_kill": (Strict, "after step 1 it told of the steps [], expected [2, 3]"),
    "goes_on_after_an_interrupt": (Swallowing, "an interrupt was swallowed"),
    "keeps_states_is_stated": (Keeping, "keeps_states, but it takes no actions"),
    "lost_actions": (Fragile, "a lost action ended the training"),
    "needs_arena_is_true": (Idle, "no action was ever submitted"),
    "prints_nothing": (lambda: Around(first=lambda job: print("epoch 1")), "printed: 'epoch 1"),
    "result_is_a_policy": (lambda: Around(last=misspelt), "--policy does not take 'lokal:"),
    "result_differs": (lambda: Around(last=copied), "final holds the base's files"),
    "result_is_final": (lambda: Around(last=elsewhere), "/final/model', expected local:"),
    "same_seed_same_figures": (
        lambda: told(lambda p: p.model_copy(update={"figures": {"loss": random.random()}})),
        "with one seed, loss of step 1 is",
    ),
    "told_once_on_disk": (Hasty, "told of before it was on disk"),
    "warnings_are_lines": (
        lambda: Around(first=lambda job: job.warn("one\ntwo")),
        "a warning of several lines",
    ),
    "writes_to_out_only": (
        lambda: Around(first=beside),
        "outside out: apart/work/stray",
    ),
}
