"""From sampled completions to rewards and figures: what step-wise trainers share."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import groupby
from math import isfinite
from time import perf_counter

from mlxlab.core.errors import MlxError, UsageError
from mlxlab.core.records import Completion
from mlxlab.core.trainer import TrainJob
from mlxlab.core.training.arena import Arena
from mlxlab.core.training.states import State, Taken
from mlxlab.plugins.training.samples import Sample

PATIENCE = 3
"""Optimizer steps in a row without a single reward, after which a training is ended."""

LARGEST = 1e15
"""Of a reward: the square of a larger one is no number of 32 bits, and ruins every weight."""
_NUMBERS = re.compile(r"-?\d+(\.\d+)?(e[+-]?\d+)?|\b(nan|inf)\b")
"""Reasons that differ in these are told once."""


@dataclass(frozen=True)
class Scored:
    """What came of the actions of one optimizer step, in the order in which they were submitted.

    Args:
        rewards: None where an action has no value; what is made of it is each trainer's own.
        figures: by the names of core.trainer.TrainProgress, without those of the model; and
            `unvalued`, the actions without a reward, `empty_groups`, the groups of them, and
            `groups`, where several actions make one. A plan is no part of an action.
    """

    states: tuple[State, ...]
    completions: tuple[Completion, ...]
    taken: tuple[Taken, ...]
    rewards: tuple[float | None, ...]
    figures: dict[str, float]

    def samples(self, step: int) -> list[Sample]:
        """One line of samples.jsonl for each action."""
        each = zip(self.states, self.completions, self.taken, self.rewards, strict=True)
        return [_sample(step, *parts) for parts in each]


class Scoring:
    """Has actions carried out and judges what came of them; one for each training.

    An action without a value is told through `job.warn` once for each reason.

    Args:
        job: whose arena and reward are used.
        patience: steps in a row without a single reward that are borne.

    Raises:
        UsageError: the job has no arena.
    """

    def __init__(self, job: TrainJob, *, patience: int = PATIENCE) -> None:
        if job.arena is None:
            raise UsageError("Step-wise training takes actions, and this job has no arena.")
        self._arena: Arena = job.arena
        self._job = job
        self._patience = patience
        self._told: set[str] = set()
        self._vain = 0

    def submit(
        self, states: Sequence[State], completions: Sequence[Completion]
    ) -> list[Future[Taken]]:
        """Begin to carry out all of them at once; the futures are in the same order."""
        return [self._arena.submit(*each) for each in zip(states, completions, strict=True)]

    def judged(
        self,
        states: Sequence[State],
        completions: Sequence[Completion],
        taken: Sequence[Taken],
        group: int | None = None,
    ) -> Scored:
        """Rewards and figures of all actions of one optimizer step.

        Args:
            states: where each action was taken.
            completions: what was answered there.
            taken: what came of it.
            group: so many neighbours are a group; None: as many as share a state.

        Raises:
            MlxError: for several steps in a row, no action had a value.
        """
        values = [self.value(each) for each in taken]
        reasons = Counter(reason for value, reason in values if value is None)
        self._tell(reasons)
        self._count(reasons, len(taken))
        rewards = tuple(value for value, _ in values)
        return Scored(
            states=tuple(states),
            completions=tuple(completions),
            taken=tuple(taken),
            rewards=rewards,
            figures=_figures(states, taken, rewards, group_sizes(states, group)),
        )

    def score(
        self,
        states: Sequence[State],
        completions: Sequence[Completion],
        group: int | None = None,
    ) -> Scored:
        """Carry out and judge; the figures hold `execute_s` too."""
        started = perf_counter()
        taken = [future.result() for future in self.submit(states, completions)]
        scored = self.judged(states, completions, taken, group)
        scored.figures["execute_s"] = perf_counter() - started
        return scored

    def value(self, taken: Taken) -> tuple[float | None, str]:
        """The reward to train on, or None with the reason."""
        if taken.failed:
            return None, taken.failed
        judged = taken.rewards.get(self._job.reward)
        if judged is None:
            return None, f"the reward '{self._job.reward}' was not judged"
        if judged.value is None or not isfinite(judged.value):
            return None, judged.reason or f"the reward is {judged.value}"
        if abs(judged.value) > LARGEST:
            return None, f"the reward is {judged.value:g}, too large to learn from"
        return judged.value, ""

    def _tell(self, reasons: Counter[str]) -> None:
        for reason, count in reasons.items():
            kind = _NUMBERS.sub("#", reason)
            if kind not in self._told:
                self._told.add(kind)
                what = "An action has" if count == 1 else f"{count} actions of a step have"
                self._job.warn(f"{what} no reward to learn from: {reason}")

    def _count(self, reasons: Counter[str], actions: int) -> None:
        self._vain = self._vain + 1 if reasons.total() == actions else 0
        if self._vain >= self._patience:
            reason, _ = reasons.most_common(1)[0]
            raise MlxError(
                f"No action of {self._vain} optimizer steps in a row had a reward: {reason}",
                "Nothing could be learned from them. Mend that, then resume the training: it goes "
                "on from its newest checkpoint.",
            )


def group_sizes(states: Sequence[State], group: int | None = None) -> list[int]:
    """How many neighbours are a group, group after group; by default those that share a state."""
    if group is not None:
        return [group] * (len(states) // group)
    return [len(list(group)) for _, group in groupby(states, key=lambda state: state.id)]


def _figures(
    states: Sequence[State],
    taken: Sequence[Taken],
    rewards: Sequence[float | None],
    sizes: Sequence[int],
) -> dict[str, float]:
    valued = [value for value in rewards if value is not None]
    groups = list(_grouped(rewards, sizes))
    there = [each for each in taken if not each.failed]
    actions = [each.action for each in taken if each.action is not None]
    figures: dict[str, float] = {
        "unique": len({action.model_dump_json(exclude={"plan"}) for action in actions}),
        "actions": len(taken),
        "flat_groups": sum(bool(group) and len(set(group)) == 1 for group in groups),
        "empty_groups": sum(not group for group in groups),
        "executed": sum(each.seconds > 0 and not each.cached for each in there),
        "cached": sum(each.cached for each in there),
        "failed": len(taken) - len(there),
        "unvalued": len(taken) - len(valued),
        "execution_s": sum(each.seconds for each in taken if not each.cached),
    }
    if valued:
        figures["reward"] = sum(valued) / len(valued)
    if there:
        figures["valid"] = sum(map(_valid, there)) / len(there)
        better = sum(map(improved, states, taken))
        figures["improvement"] = better / len(there)
    if any(size > 1 for size in sizes):
        figures["groups"] = len(sizes)
    return figures


def _grouped(rewards: Sequence[float | None], sizes: Sequence[int]) -> Iterator[list[float]]:
    """The values of each group, without those that are none."""
    place = 0
    for size in sizes:
        yield [value for value in rewards[place : place + size] if value is not None]
        place += size


def _valid(taken: Taken) -> bool:
    """Whether there was an action, and it was carried out without an error."""
    if taken.action is None or taken.observation is None or taken.observation.status != "ok":
        return False
    return taken.probe is None or taken.probe.status == "ok"


def improved(state: State, taken: Taken) -> bool:
    """Whether an action's public score is better than the state's own, or the first one."""
    before, after = state.decision.score, taken.score
    if after is None or taken.failed:
        return False
    return before is None or state.info.metric.better(after, before)


def _sample(
    step: int, state: State, completion: Completion, taken: Taken, reward: float | None
) -> Sample:
    return Sample(
        step=step,
        state=state.id,
        text=completion.text,
        reward=reward,
        status=None if taken.observation is None else taken.observation.status,
        score=taken.score,
        cached=taken.cached,
        problem=taken.failed or taken.problem,
    )
