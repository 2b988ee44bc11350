"""The trainer `ppo`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from mlxlab.core.trainer import Estimate, Machine, PolicyRef, TrainJob
from mlxlab.core.training.states import State
from mlxlab.plugins.training.choosing import Chooser, recorded
from mlxlab.plugins.training.conforming import ACTIONS, tiny
from mlxlab.plugins.training.course import Course
from mlxlab.plugins.training.drawn import Clock, draw, written
from mlxlab.plugins.training.estimates import Workload, estimates
from mlxlab.plugins.training.failures import told
from mlxlab.plugins.training.learning import Learner, Optimized
from mlxlab.plugins.training.losses import kl_estimates, masked_mean
from mlxlab.plugins.training.ppo.config import PPOConfig
from mlxlab.plugins.training.ppo.critic import critic_of
from mlxlab.plugins.training.ppo.rollout import Opinions, material, opinions
from mlxlab.plugins.training.ppo.update import Update
from mlxlab.plugins.training.quiet import quiet
from mlxlab.plugins.training.revisiting import OwnStates
from mlxlab.plugins.training.scoring import Scoring


class PPO:
    """Step-wise PPO: equations 4 and 5 of ML-Agent (Liu et al., arXiv 2505.23723).

    Each step draws recorded states, samples actions at each of them, has every action carried out
    for one transition, and changes the policy by the clipped surrogate over the tokens of the
    actions. The reward stands at an action's last token; a critic of its own says what to expect
    at each token. What the paper leaves unsaid is told in `PPOConfig`.
    """

    needs_arena = True
    conformance: ClassVar[Mapping[str, Any]] = tiny(ACTIONS, minibatches=1)

    def __init__(self, config: PPOConfig) -> None:
        self.config = config

    def train(self, job: TrainJob) -> PolicyRef:
        """Train to the end, from the newest checkpoint on; returns `local:OUT/final`."""
        with quiet(), told(job):
            return Loop(job, self.config).run()

    def estimate(self, job: TrainJob, machine: Machine) -> list[Estimate]:
        """What the job takes on a machine, without loading a model's weights."""
        return estimates(job, machine, work(self.config))


class Loop:
    """One training."""

    def __init__(self, job: TrainJob, config: PPOConfig) -> None:
        self._job, self._config = job, config
        self._scoring = Scoring(job)
        asked = config.beta > 0 or config.kl_rows > 0
        self._learner = Learner(job, config, reference=asked)
        self._critic = self._made_critic()
        self._writer = self._learner.writer()
        self._prompts = self._learner.prompts(self._writer, job.warn)
        states = self._prompts.askable(recorded(job, config.ideas))
        self._chooser = Chooser(states, config.choose, job.seed)
        processes = self._learner.accelerator.num_processes
        self._own_states = OwnStates(job, config, self._prompts, processes)
        self._update = Update(self._learner, self._critic, config)
        parts = {"policy": self._learner.policy, "critic": self._critic}
        self._course = Course(job, "ppo", self._learner, parts, config.steps)

    def run(self) -> PolicyRef:
        """Take the steps that are left."""
        return self._course.run(
            self._step, lambda counters: self._chooser.restore(counters["seen"])
        )

    def _step(self, step: int) -> None:
        config, clock, seed = self._config, Clock(), f"{self._job.seed}:{step}"
        states = self._states(step, clock)
        asked = states, [self._prompts.of_state(state) for state in states]
        group = config.generations
        drawn = draw(self._writer.waves, self._scoring, asked, group, self._own(seed), clock)
        sequences = self._learner.sequences(drawn.completions)
        found = opinions(self._learner, self._critic, config, sequences)
        measured = self._measured(found)
        scored = drawn.scored(self._scoring, group, clock)
        ready = material(found, list(scored.rewards), config, measured)
        updated = self._update(ready, group, seed)
        self._chooser.saw(scored.states, scored.rewards)
        seen = {"seen": self._chooser.kept()}
        self._course.commit(step, scored, {**ready.figures, **updated}, clock, seen)

    def _states(self, step: int, clock: Clock) -> list[State]:
        """This process's share of a step's states: own ones as far as there are some."""
        wanted, own = self._config.states_per_step, self._own_states
        visit = own.draw(step - 1, own.share(wanted), written(self._writer.waves))
        clock.play_s, clock.played = visit.seconds, visit.taken
        drawn = self._chooser.draw(step - 1, wanted)
        drawn = visit.states + drawn[: wanted - len(visit.states)]
        accelerator = self._learner.accelerator
        return drawn[accelerator.process_index :: accelerator.num_processes]

    def _own(self, seed: str) -> str:
        return f"{seed}:{self._learner.accelerator.process_index}"

    def _measured(self, found: Opinions) -> float | None:
        """The KL against the start policy on some actions, where no loss needs it on all."""
        if found.before is not None or self._config.kl_rows == 0:
            return None
        rows = range(min(self._config.kl_rows, len(found.sequences)))
        part = found.sequences.rows(rows)
        before = self._learner.before(part)
        if before is None:
            return None
        logprobs = found.logprobs[: len(rows), : part.ids.shape[1]]
        return float(masked_mean(kl_estimates(logprobs, before, "k3"), part.mask))

    def _made_critic(self) -> Optimized:
        config, learner = self._config, self._learner
        critic: Any = critic_of(self._job, config, learner)
        shared = learner.policy.trained() if config.critic == "shared" else ()
        return learner.optimized(critic, config.critic_rate(learner.lr), shared)


def work(config: PPOConfig) -> Workload:
    """A training in numbers, for a dry run.

    Besides the update there is a forward pass of the policy, of the critic and, with a KL, of the
    start policy, which is another copy of all weights unless an adapter lies over it.
    """
    kept = (config.beta > 0 or config.kl_rows > 0) and not config.lora
    return Workload(
        weights=config,
        steps=config.steps,
        seconds=config.max_s,
        sequences=config.states_per_step * config.generations,
        micro_batch=config.micro_batch or 1,
        group=config.generations,
        longest=config.max_completion_tokens,
        passes=float(config.epochs),
        forwards=3.0 if config.beta > 0 else 2.0,
        trained=2 if config.critic == "separate" else 1,
        frozen=int(kept),
        shards=False,
    )
