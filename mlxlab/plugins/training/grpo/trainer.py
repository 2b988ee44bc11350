"""The trainer `grpo`."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

from mlxlab.core.errors import MissingExtra, PolicyError
from mlxlab.core.trainer import CHECKPOINTS, Estimate, Machine, PolicyRef, TrainJob
from mlxlab.plugins.policies.local.answers import Reader
from mlxlab.plugins.training.card import Facts
from mlxlab.plugins.training.choosing import Chooser, recorded
from mlxlab.plugins.training.conforming import ACTIONS, tiny
from mlxlab.plugins.training.estimates import estimates
from mlxlab.plugins.training.failures import told
from mlxlab.plugins.training.final import save_final
from mlxlab.plugins.training.grpo.config import GRPOConfig
from mlxlab.plugins.training.grpo.drift import Drift
from mlxlab.plugins.training.grpo.layout import Layout, layout
from mlxlab.plugins.training.grpo.ledger import Events, Ledger, newest
from mlxlab.plugins.training.grpo.rollouts import Rollouts
from mlxlab.plugins.training.grpo.settings import settings, work
from mlxlab.plugins.training.grpo.stepwise import Stepwise
from mlxlab.plugins.training.models import Loaded, load
from mlxlab.plugins.training.prompting import Prompts
from mlxlab.plugins.training.quiet import quiet
from mlxlab.plugins.training.revisiting import OwnStates
from mlxlab.plugins.training.sampling import Drawing, Writer
from mlxlab.plugins.training.scoring import Scoring

_PACKAGES = ("torch", "transformers", "trl", "datasets", "accelerate")
SMALL = 10_000_000


class GRPO:
    """Step-wise RL with TRL's GRPOTrainer: single actions from recorded states.

    ML-Agent (arXiv 2505.23723, equation 4) trains with PPO on single actions from states of expert
    trajectories. Here the critic is replaced by the mean of a group of actions at the same state
    (GRPO, arXiv 2402.03300), so that nothing but the policy is learned. What the paper leaves
    unsaid is an option: how states are chosen, how many actions each gets, temperature, clipping,
    passes over a batch. A KL term (`beta`) is a part of the loss: the estimator k3, times the ratio
    of new to old probability so that its gradient is that of the KL.

    Raises:
        MissingExtra: torch, transformers or trl is not installed.
    """

    needs_arena = True
    conformance: ClassVar[Mapping[str, Any]] = tiny(ACTIONS, micro_batch=8, kl_rows=0)

    def __init__(self, config: GRPOConfig) -> None:
        self.config = config
        missing = [*_PACKAGES, *(["peft"] if config.lora else [])]
        if any(find_spec(package) is None for package in missing):
            raise MissingExtra("The trainer grpo", "train")

    def train(self, job: TrainJob) -> PolicyRef:
        """Train to the end, from the newest whole checkpoint if there is one.

        Raises:
            UsageError: model, options and recorded steps do not go together.
            MlxError: nothing could be executed, or the disk is full; checkpoints stay.
        """
        with quiet(), told(job):
            loaded = load(job, self.config)
            self._leave_cores(loaded)
            trainer, ledger = self._made(job, loaded)
            found = newest(job.out / CHECKPOINTS)
            ledger.open(None if found is None else found[1])
            try:
                _run(trainer, found, ledger)
            finally:
                ledger.close()
            state = _gathered(trainer)
            loaded.model = trainer.accelerator.unwrap_model(trainer.model)
        facts = Facts(
            trainer="grpo",
            options=self.config.model_dump(),
            steps=ledger.step,
            first=ledger.first,
            last=ledger.last,
            seconds=ledger.seconds,
            reward=job.reward,
        )
        return save_final(job, loaded, facts, merge=self.config.save == "merged", state=state)

    def _leave_cores(self, loaded: Loaded) -> None:
        """One thread for a small model on a CPU: actions run meanwhile, and more wait in vain."""
        import torch

        small = loaded.device.type == "cpu" and loaded.parameters()[0] < SMALL
        if small and self.config.threads is None:
            torch.set_num_threads(1)

    def estimate(self, job: TrainJob, machine: Machine) -> list[Estimate]:
        """What the job takes on a machine, without loading a model's weights."""
        return estimates(job, machine, work(self.config, machine))

    def _made(self, job: TrainJob, loaded: Loaded) -> tuple[Any, Ledger]:
        from accelerate import PartialState
        from accelerate.utils import gather_object

        there = PartialState(cpu=loaded.device.type == "cpu")
        plan = layout(self.config, there.num_processes)
        writer, reader = self._speakers(loaded)
        prompts = Prompts(writer, loaded.context, job.warn)
        states = prompts.askable(recorded(job, self.config.ideas))
        chooser = Chooser(states, self.config.choose, job.seed)
        scoring = Scoring(job)
        own = OwnStates(job, self.config, prompts, there.num_processes)
        rollouts = Rollouts(
            prompts, chooser, scoring, plan, own, seed=job.seed, process=there.process_index
        )
        ledger = Ledger(
            job,
            scoring,
            chooser,
            total=self.config.steps,
            group=self.config.generations,
            max_s=self.config.max_s,
            again=self.config.num_iterations,
            gather=gather_object if there.num_processes > 1 else list,
            main=there.is_main_process,
        )
        trainer = self._trainer(job, loaded, plan, rollouts, ledger)
        measured = self.config.kl_rows > 0 and self.config.beta == 0 and there.num_processes == 1
        drift = Drift(loaded.model, self.config.kl_rows, plan.calls) if measured else None
        ledger.rollouts, ledger.drift = rollouts, drift
        trainer.prepared(rollouts, ledger, drift, writer, reader)
        return trainer, ledger

    def _speakers(self, loaded: Loaded) -> tuple[Writer, Reader]:
        drawing = Drawing(self.config.temperature, self.config.max_completion_tokens, rows=64)
        net = loaded.model.get_base_model() if loaded.adapted else loaded.model
        return (
            Writer(net, loaded.tokenizer, loaded.ends, drawing),
            Reader(loaded.tokenizer, frozenset(loaded.ends)),
        )

    def _trainer(
        self, job: TrainJob, loaded: Loaded, plan: Layout, rollouts: Rollouts, ledger: Ledger
    ) -> Any:
        from datasets import Dataset
        from transformers import PrinterCallback, TrainerCallback
        from trl import GRPOTrainer

        draws = -(-self.config.steps // self.config.num_iterations)
        labels = [str(number) for number in range(draws * plan.states)]
        if self.config.beta and not loaded.adapted:
            _named(loaded, job.out)
        made: Any = type("StepwiseGRPOTrainer", (Stepwise, GRPOTrainer), {})
        trainer = made(
            model=loaded.model,
            reward_funcs=rollouts.rewards,
            args=settings(self.config, job, loaded, plan),
            train_dataset=Dataset.from_dict({"prompt": labels}),
            processing_class=loaded.tokenizer,
        )
        trainer.remove_callback(PrinterCallback)
        events: Any = type("LedgerCallback", (Events, TrainerCallback), {"ledger": ledger})
        trainer.add_callback(events())
        return trainer


def _run(trainer: Any, found: tuple[Path, dict[str, Any]] | None, ledger: Ledger) -> None:
    if found is None:
        trainer.train()
    elif ledger.over:
        trainer._load_from_checkpoint(str(found[0]))
    else:
        trainer.train(resume_from_checkpoint=str(found[0]))


def _gathered(trainer: Any) -> Any:
    """The weights, where they are spread over processes; None where each holds all of them."""
    if not (trainer.is_deepspeed_enabled or trainer.is_fsdp_enabled):
        return None
    return trainer.accelerator.get_state_dict(trainer.model)


def _named(loaded: Loaded, out: Path) -> None:
    """TRL loads the reference policy from where the model says that it was loaded from."""
    name = Path(str(getattr(loaded.model.config, "_name_or_path", "") or "."))
    if not (name / "config.json").is_file():
        raise PolicyError(f"The base '{loaded.base}' is nowhere on disk to be loaded again.")
