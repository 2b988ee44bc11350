"""What a trainer will do, in numbers, and what recorded runs say about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mlxlab.core.errors import MlxError
from mlxlab.core.runs import RunFolder
from mlxlab.core.trainer import TrainJob
from mlxlab.plugins.training.models import Weights

LETTERS = 4
"""Characters of a token: about as many in English and in code."""
_LOOKED = 64
_RUNS = 20
_PROMPT, _ANSWER, _EXECUTION_S = 2000, 400, 5.0
"""Assumed where nothing is recorded: a prompt and an answer in tokens, and an execution."""


@dataclass(frozen=True)
class Workload:
    """A training in numbers; all counts are over all processes.

    Args:
        weights: the options about the model.
        steps: optimizer steps, at most.
        seconds: what all of them may take; None: as long as they do.
        sequences: prompts with an answer that an optimizer step learns from.
        micro_batch: those of one backward pass on one device.
        group: sequences that share a prompt, which is read once for sampling, and in the update
            unless activations are checkpointed or several processes train.
        longest: limit of an answer, in tokens.
        passes: how often each sequence is learned from before the next ones are sampled.
        forwards: further forward passes over each sequence: reference, old policy, critic.
        trained: models that are trained: 2 with a critic.
        frozen: further copies of all weights.
        samples: whether answers are sampled and carried out; else they are recorded ones.
        fused: whether logits are made in tiles, as GRPOTrainer does.
        cached: the share of actions that were carried out before.
        vllm: vLLM's share of a GPU's memory; 0: it is not used.
        shards: whether the trainer can spread weights and their states over several GPUs (ZeRO-3,
            FSDP); else each of them holds whole nets.
        prompt: tokens of a prompt, on average.
        answer: tokens of an answer, on average.
        execution_s: seconds of carrying one action out, on average.
        recorded: whether the last three are from recorded runs.
    """

    weights: Weights
    steps: int
    sequences: int
    micro_batch: int
    group: int = 1
    longest: int = 1024
    passes: float = 1.0
    forwards: float = 0.0
    trained: int = 1
    frozen: int = 0
    samples: bool = True
    fused: bool = False
    seconds: float | None = None
    cached: float = 0.5
    vllm: float = 0.0
    shards: bool = True
    prompt: float = _PROMPT
    answer: float = _ANSWER
    execution_s: float = _EXECUTION_S
    recorded: bool = False

    @property
    def tokens(self) -> float:
        """Of one sequence."""
        return self.prompt + self.answer


def workload(job: TrainJob, made: Workload) -> Workload:
    """A workload with the lengths and seconds that a job's runs recorded."""
    examples = job.corpus.examples[:: max(1, len(job.corpus.examples) // _LOOKED)]
    prompts, answers = [], []
    for example in examples:
        try:
            prompts.append(sum(len(each.content) for each in example.messages()) / LETTERS)
        except MlxError:
            continue
        answers.append(len(example.text) / LETTERS)
    if not prompts:
        return replace(made, answer=min(made.answer, made.longest))
    seconds = _seconds(job.corpus.runs)
    return replace(
        made,
        prompt=_mean(prompts),
        answer=min(_mean(answers), made.longest),
        execution_s=_mean(seconds) if seconds else made.execution_s,
        recorded=True,
    )


def _seconds(runs: Sequence[Path]) -> list[float]:
    """How long recorded actions took, hidden probes included."""
    found = []
    for folder in runs[:: max(1, len(runs) // _RUNS)]:
        try:
            steps = RunFolder(folder).steps()
        except MlxError:
            continue
        probes = [0.0 if step.probe is None else step.probe.duration_s for step in steps]
        durations = [step.observation.duration_s for step in steps]
        found += [one + other for one, other in zip(durations, probes, strict=True)]
    return found


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
