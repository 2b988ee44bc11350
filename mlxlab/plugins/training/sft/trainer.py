"""The trainer `sft`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from importlib.util import find_spec
from typing import Any, ClassVar

from mlxlab.core.errors import MissingExtra, UsageError
from mlxlab.core.trainer import Estimate, Machine, PolicyRef, TrainJob
from mlxlab.core.training.examples import Example
from mlxlab.core.training.filters import chosen
from mlxlab.plugins.training.card import Facts
from mlxlab.plugins.training.conforming import EXAMPLES, tiny
from mlxlab.plugins.training.estimates import Workload, estimates, workload
from mlxlab.plugins.training.final import save_final
from mlxlab.plugins.training.models import Loaded, load
from mlxlab.plugins.training.quiet import quiet
from mlxlab.plugins.training.sft import rows as data
from mlxlab.plugins.training.sft.config import SFTConfig
from mlxlab.plugins.training.sft.running import (
    Material,
    Training,
    micro_batch,
    set_up,
    steps_of,
)

_PACKAGES = ("torch", "transformers", "trl", "datasets", "accelerate")


class SFT:
    """Teaches a model to answer recorded prompts as they were answered.

    The loss is that of ML-Agent's exploration-enriched fine-tuning (arXiv 2505.23723, section
    4.1): the logarithm of probability of each recorded answer, of its tokens alone, the one that
    ends it included. Prompts are token for token those that `--policy local` sends.

    The paper chooses no checkpoint; here whole tasks are set apart, and the checkpoint with the
    smallest loss on them is the result, since a tiny model learns its tasks by heart in minutes.
    """

    needs_arena = False
    conformance: ClassVar[Mapping[str, Any]] = tiny(EXAMPLES)

    def __init__(self, config: SFTConfig) -> None:
        self.config = config

    def train(self, job: TrainJob) -> PolicyRef:
        """Train to the end, from the newest whole checkpoint where there is one.

        Raises:
            MissingExtra: trl or another package is not installed.
            UsageError: nothing is left to learn, or the base cannot be trained.
            RecordError: the disk is full.
        """
        if any(find_spec(package) is None for package in _PACKAGES):
            raise MissingExtra("The trainer sft", "train")
        job.out.mkdir(parents=True, exist_ok=True)
        loaded = load(job, self.config)
        material = self._material(job, loaded)
        with quiet():
            training = set_up(self.config, job, loaded, material)
            training.run()
        return self._saved(job, loaded, training)

    def estimate(self, job: TrainJob, machine: Machine) -> list[Estimate]:
        """What the job takes on a machine, without loading a model's weights."""
        world = machine.gpus or 1
        count = len(self._chosen(job)) * (1 - self.config.validation)
        made = Workload(
            weights=self.config,
            steps=steps_of(self.config, max(1, round(count))),
            sequences=self.config.batch,
            micro_batch=1,
            samples=False,
            fused=True,
        )
        longest = 2 * workload(job, made).tokens  # rows are padded to the longest of their batch
        micro = micro_batch(self.config, longest, world)
        return estimates(job, machine, replace(made, micro_batch=micro))

    def _chosen(self, job: TrainJob) -> tuple[Example, ...]:
        config = self.config
        return chosen(
            job.corpus,
            valid=config.valid,
            improving=config.improving,
            best=config.best,
            unique=config.unique,
        )

    def _material(self, job: TrainJob, loaded: Loaded) -> Material:
        """Rows of the chosen examples; raises UsageError where there are none."""
        config = self.config
        examples = self._chosen(job)
        rows, left_out = data.made(
            examples,
            loaded.tokenizer,
            longest=config.max_length or loaded.context,
            strip=config.ideas == "strip",
            reasoning=config.reasoning == "keep",
        )
        for why, count in left_out.items():
            job.warn(f"{count} of {len(examples)} examples left out: {why}.")
        if not rows:
            raise _nothing(job, len(examples), left_out)
        learned, validated = data.split(rows, config.validation, job.seed)
        if config.validation > 0 and not validated:
            job.warn("With fewer than three tasks none is set apart: the last step is the result.")
        return Material(learned, validated)

    def _saved(self, job: TrainJob, loaded: Loaded, training: Training) -> PolicyRef:
        note = training.best.take()
        telling = training.telling
        facts = Facts(
            trainer="sft",
            options=self.config.model_dump(mode="json"),
            steps=training.steps,
            first=telling.first,
            last=telling.last,
            seconds=telling.seconds,
            notes=(note,),
        )
        merge = self.config.save == "merged"
        return save_final(job, loaded, facts, merge=merge, state=training.weights())


def _nothing(job: TrainJob, passed: int, left_out: Counter[str]) -> UsageError:
    reasons = "".join(f"; {count} left out: {why}" for why, count in left_out.items())
    found = f"{len(job.corpus.examples)} recorded steps, {passed} of which passed the filters"
    return UsageError(
        f"Nothing is left to learn from: {found}{reasons}.",
        "Loosen valid, improving or best, raise max_length, or record more runs.",
    )
