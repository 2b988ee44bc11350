"""The trainer `episodic-grpo`."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from random import Random
from time import perf_counter
from typing import Any, ClassVar

from mlxlab.core.errors import MlxError, UsageError
from mlxlab.core.policy import PolicyRequest
from mlxlab.core.records import Completion
from mlxlab.core.trainer import Estimate, Machine, PolicyRef, TrainJob
from mlxlab.core.training.arena import Arena
from mlxlab.core.training.episodes import Episode, Start, Turn, play
from mlxlab.plugins.training.conforming import EPISODES, tiny
from mlxlab.plugins.training.course import Course
from mlxlab.plugins.training.drawn import Clock, written
from mlxlab.plugins.training.episodic.config import EpisodicConfig
from mlxlab.plugins.training.episodic.update import Played, Update
from mlxlab.plugins.training.episodic.worth import told, worth
from mlxlab.plugins.training.estimates import Workload, estimates
from mlxlab.plugins.training.failures import told as told_of
from mlxlab.plugins.training.learning import Learner
from mlxlab.plugins.training.losses import group_advantages, kl_estimates, masked_mean
from mlxlab.plugins.training.playing import answers, places
from mlxlab.plugins.training.quiet import quiet
from mlxlab.plugins.training.scoring import Scored, Scoring


class EpisodicGRPO:
    """Whole episodes played by the policy in training: what step-wise training is compared with.

    Each step plays several episodes of some tasks with the scaffolds that recorded them, judges
    each episode as a whole, and changes the policy by GRPO with the advantage of an episode, within
    its task, at every token of all its actions. An update costs `turns` rounds of sampling and
    execution, one after the other, which is why step-wise training is faster.
    """

    needs_arena = True
    keeps_states = True
    conformance: ClassVar[Mapping[str, Any]] = tiny(EPISODES)

    def __init__(self, config: EpisodicConfig) -> None:
        self.config = config

    def train(self, job: TrainJob) -> PolicyRef:
        """Train to the end, from the newest checkpoint on; returns `local:OUT/final`."""
        with quiet(), told_of(job):
            return Loop(job, self.config).run()

    def estimate(self, job: TrainJob, machine: Machine) -> list[Estimate]:
        """What the job takes on a machine, without loading a model's weights."""
        return estimates(job, machine, work(self.config))


class Loop:
    """One training."""

    def __init__(self, job: TrainJob, config: EpisodicConfig) -> None:
        if job.arena is None:
            raise UsageError("Episodes take actions, and this job has no arena.")
        self._job, self._config = job, config
        self._arena: Arena = job.arena
        self._scoring = Scoring(job)
        self._places = places(job)
        asked = config.beta > 0 or config.kl_rows > 0
        self._learner = Learner(job, config, reference=asked)
        self._writer = self._learner.writer()
        self._prompts = self._learner.prompts(self._writer, job.warn)
        self._update = Update(self._learner, config)
        parts = {"policy": self._learner.policy}
        self._course = Course(job, "episodic-grpo", self._learner, parts, config.steps)

    def run(self) -> PolicyRef:
        """Take the steps that are left."""
        return self._course.run(self._step)

    def _step(self, step: int) -> None:
        clock, seed = Clock(), f"{self._job.seed}:{step}"
        episodes = asyncio.run(self._play(step, seed, clock))
        worths = [worth(each, self._config.worth, self._scoring) for each in episodes]
        self._tell(episodes)
        turns = [turn for each in episodes for turn in each.turns]
        if not turns:
            raise MlxError(
                f"None of a step's {len(episodes)} episodes took an action: {episodes[0].problem}"
            )
        scored = self._judged(turns)
        found = self._learn(episodes, worths, turns, seed)
        figures = {**told(worths, self._config.episodes), **found}
        self._course.commit(step, scored, figures, clock)

    async def _play(self, step: int, seed: str, clock: Clock) -> list[Episode]:
        """All episodes of a step; sampling and carrying out take turns."""

        async def answer(requests: Sequence[PolicyRequest]) -> list[Completion | MlxError]:
            began = perf_counter()
            clock.wait_s += began - clock.ended if clock.ended else 0.0
            answers = self._answers(requests, f"{seed}:{clock.rounds}")
            clock.rounds += 1
            clock.outcome()
            clock.began = clock.began or clock.ended
            clock.generate_s += clock.ended - began
            return answers

        starts = self._starts(step)
        episodes = await play(starts, answer, self._arena, steps=self._config.turns)
        clock.wait_s += perf_counter() - clock.ended if clock.ended else 0.0
        clock.outcome()
        return episodes

    def _answers(self, requests: Sequence[PolicyRequest], seed: str) -> list[Completion | MlxError]:
        return answers(requests, self._prompts, written(self._writer.waves), seed)

    def _starts(self, step: int) -> list[Start]:
        """Tasks in turn, in a new order each round; a group's episodes differ in their seed."""
        count, group = self._config.starts_per_step, self._config.episodes
        starts = []
        for slot in range((step - 1) * count, step * count):
            turn, place = divmod(slot, len(self._places))
            order = list(self._places)
            Random(f"{self._job.seed}:places:{turn}").shuffle(order)
            dice = Random(f"{self._job.seed}:episodes:{slot}")
            starts += [Start(*order[place], dice.getrandbits(31)) for _ in range(group)]
        accelerator = self._learner.accelerator
        own = range(accelerator.process_index, count, accelerator.num_processes)
        return [start for slot in own for start in starts[slot * group : (slot + 1) * group]]

    def _judged(self, turns: Sequence[Turn]) -> Scored:
        return self._scoring.judged(
            [turn.state for turn in turns],
            [turn.completion for turn in turns],
            [turn.taken for turn in turns],
            1,
        )

    def _learn(
        self,
        episodes: Sequence[Episode],
        worths: Sequence[float | None],
        turns: Sequence[Turn],
        seed: str,
    ) -> dict[str, float]:
        """Update by all episodes that have an advantage; returns the figures of the model."""
        import torch

        learner = self._learner
        sequences = learner.sequences([turn.completion for turn in turns])
        logprobs, entropy = learner.now(sequences)
        before = learner.before(sequences)
        each = self._advantages(worths)
        advantages = torch.zeros(len(turns), device=logprobs.device)
        rows: list[range] = []
        begin = 0
        for episode, value, advantage in zip(episodes, worths, each, strict=True):
            own = range(begin, begin + len(episode.turns))
            begin = own.stop
            if value is not None:
                rows.append(own)
                advantages[own.start : own.stop] = advantage
        figures = {
            "entropy": float(masked_mean(entropy, sequences.mask)),
            "tokens": float(sequences.mask.sum(-1).mean()),
        }
        if before is not None:
            kl = kl_estimates(logprobs, before, "k3")
            figures["kl"] = float(masked_mean(kl, sequences.mask))
        played = Played(sequences, rows, advantages, logprobs, before)
        return {**figures, **self._update(played, seed)}

    def _advantages(self, worths: Sequence[float | None]) -> list[float]:
        """Of each episode, within its group."""
        import torch

        shape = (-1, self._config.episodes)
        values = torch.tensor([value or 0.0 for value in worths]).view(shape)
        known = torch.tensor([float(value is not None) for value in worths]).view(shape)
        found = group_advantages(values, known, self._config.scale_rewards)
        return [float(value) for value in found.flatten()]

    def _tell(self, episodes: Sequence[Episode]) -> None:
        problems = {each.problem for each in episodes if each.problem}
        for problem in sorted(problems):
            self._job.warn(f"An episode ended before its time: {problem}")


def work(config: EpisodicConfig) -> Workload:
    """A training in numbers, for a dry run; the rounds of an episode wait for one another."""
    kept = (config.beta > 0 or config.kl_rows > 0) and not config.lora
    return Workload(
        weights=config,
        steps=config.steps,
        seconds=config.max_s,
        sequences=config.starts_per_step * config.episodes * config.turns,
        micro_batch=config.micro_batch or 1,
        longest=config.max_completion_tokens,
        passes=float(config.epochs),
        forwards=2.0 if kept else 1.0,
        frozen=int(kept),
        shards=False,
    )
