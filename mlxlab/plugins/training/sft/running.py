"""TRL's trainer, set up for rows that are tokens and for checkpoints that survive a kill."""

from __future__ import annotations

import os
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from random import Random
from typing import Any

from mlxlab.core.errors import MlxError, RecordError, UsageError
from mlxlab.core.trainer import CHECKPOINTS, TrainJob
from mlxlab.plugins.training.models import Loaded
from mlxlab.plugins.training.models.tiny import is_tiny
from mlxlab.plugins.training.saving import small
from mlxlab.plugins.training.sft.best import Best
from mlxlab.plugins.training.sft.config import SFTConfig
from mlxlab.plugins.training.sft.rows import Row
from mlxlab.plugins.training.sft.telling import Telling, newest_whole

_PASS_TOKENS = 16_384
_BEST = "best"
_SAVE_S = 5.0
_SCHEDULES = {"constant": "constant_with_warmup", "linear": "linear", "cosine": "cosine"}


@dataclass(frozen=True)
class Material:
    """What is learned, and what chooses the checkpoint."""

    learned: list[Row]
    validated: list[Row]


@dataclass
class Training:
    """One training, set up."""

    trainer: Any
    telling: Telling
    best: Best
    folder: Path

    @property
    def steps(self) -> int:
        """Optimizer steps that were taken."""
        return int(self.trainer.state.global_step)

    def weights(self) -> dict[str, Any] | None:
        """All weights, where each process holds a part of them; None where it has them whole."""
        if not self.trainer.is_deepspeed_enabled:
            return None
        gathered: dict[str, Any] = self.trainer.accelerator.get_state_dict(
            self.trainer.model_wrapped
        )
        return gathered

    def run(self) -> None:
        """Train from the newest whole checkpoint to the end; what goes wrong is said in a line."""
        import torch

        begun = newest_whole(self.folder)
        step = 0
        if begun is not None:
            self.telling.go_on(begun)
            step = int(begun.name.rpartition("-")[2])
        self.best.go_on(step)
        try:
            self._train(begun, step)
        except MlxError:
            raise
        except torch.OutOfMemoryError as error:
            raise UsageError(
                "The training needs more memory than the GPU has.",
                "Take a smaller micro_batch, gradient_checkpointing=true, or lora=true.",
            ) from error
        except Exception as error:
            raise _unsaved(self.folder, error) from error

    def _train(self, begun: Path | None, step: int) -> None:
        """TRL would take one step more where the last one is done and was within a pass."""
        if begun is None or step < self.telling.total:
            self.trainer.train(resume_from_checkpoint=None if begun is None else str(begun))
            return
        from transformers import TrainerState

        self.trainer._load_from_checkpoint(str(begun))
        self.trainer.state = TrainerState.load_from_json(str(begun / "trainer_state.json"))


def set_up(config: SFTConfig, job: TrainJob, loaded: Loaded, material: Material) -> Training:
    """TRL's trainer with our checkpoints and figures; raises UsageError for what it refuses."""
    from datasets import Dataset, disable_progress_bars
    from transformers import PrinterCallback
    from trl import SFTTrainer

    disable_progress_bars()
    _one_gpu()
    folder = job.out / CHECKPOINTS
    total, main = steps_of(config, len(material.learned)), first_process()
    asked = material.validated or material.learned
    sample = Random(job.seed).sample(asked, min(config.check, len(asked)))
    best = Best(folder / _BEST, loaded, sample, job.seed, main)
    telling = Telling(total, _save_s(config, loaded), job.tell, best.validated, main)
    validated = [row.as_features() for row in material.validated]
    try:
        trainer = SFTTrainer(
            model=loaded.model,
            args=_arguments(config, job, loaded, material, total),
            train_dataset=Dataset.from_list([row.as_features() for row in material.learned]),
            eval_dataset=Dataset.from_list(validated) if validated else None,
            processing_class=loaded.tokenizer,
            callbacks=[telling.callback()],
        )
    except (RuntimeError, ValueError) as error:
        words = " ".join(str(error).split())
        raise UsageError(f"TRL cannot train so: {words}") from error
    trainer.remove_callback(PrinterCallback)
    trainer.create_model_card = _no_card  # ours is written from the record, at the end
    return Training(trainer, telling, best, folder)


def steps_of(config: SFTConfig, rows: int) -> int:
    """Optimizer steps of a training on so many examples."""
    return config.steps or max(1, round(config.epochs * ceil(rows / config.batch)))


def first_process() -> bool:
    """Whether this process tells and saves, of those that train together."""
    return os.environ.get("RANK", "0") == "0"


def _arguments(
    config: SFTConfig, job: TrainJob, loaded: Loaded, material: Material, total: int
) -> Any:
    from trl import SFTConfig as Arguments

    rows, world = [*material.learned, *material.validated], _world()
    micro = micro_batch(config, max(len(row) for row in rows), world)
    return Arguments(
        output_dir=str(job.out / CHECKPOINTS),
        max_steps=total,
        learning_rate=config.lr or _lr(config, job),
        lr_scheduler_type=_SCHEDULES[config.schedule],
        warmup_steps=ceil(config.warmup * total),
        weight_decay=config.weight_decay,
        max_grad_norm=config.max_grad_norm,
        per_device_train_batch_size=micro,
        per_device_eval_batch_size=micro,
        gradient_accumulation_steps=max(1, config.batch // (micro * world)),
        gradient_checkpointing=config.gradient_checkpointing,
        bf16=loaded.bf16,
        use_cpu=loaded.device.type == "cpu",
        eval_strategy="steps" if material.validated else "no",
        eval_steps=config.eval_steps or max(1, total // 10),
        save_strategy="no",  # Telling asks for it
        save_total_limit=2,
        logging_steps=1,
        logging_nan_inf_filter=False,
        disable_tqdm=True,
        report_to=[name for name in config.report_to.split(",") if name],
        seed=job.seed,
        dataset_kwargs={"skip_prepare_dataset": True},
        dataloader_pin_memory=loaded.device.type != "cpu",
    )


def micro_batch(config: SFTConfig, longest: float, world: int) -> int:
    """Examples of one pass: what is said, else the largest divisor of the batch that fits."""
    share = max(1, config.batch // world)
    if config.micro_batch is not None:
        return min(config.micro_batch, share)
    most = max(1, int(_PASS_TOKENS / longest))
    return max(size for size in range(1, share + 1) if share % size == 0 and size <= most)


def _save_s(config: SFTConfig, loaded: Loaded) -> float | None:
    """Seconds between two checkpoints; None: each step is saved."""
    if config.save_s is not None or small(loaded.parameters()[1]):
        return config.save_s
    return _SAVE_S


def _lr(config: SFTConfig, job: TrainJob) -> float:
    if is_tiny(job.base.spec):
        return 3e-3
    return 2e-4 if config.lora else 2e-5


def _world() -> int:
    """Processes that train together, under `accelerate launch`."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def _one_gpu() -> None:
    import torch

    if torch.cuda.device_count() > 1 and _world() == 1:
        raise UsageError(
            f"One process sees {torch.cuda.device_count()} GPUs, and trains on one.",
            "Set CUDA_VISIBLE_DEVICES=0, or start it with: accelerate launch -m mlxlab train ...",
        )


def _no_card(*_: Any, **__: Any) -> None:
    """TRL writes a card into its folder at each checkpoint."""


def _unsaved(folder: Path, error: Exception) -> Exception:
    """A full disk in a line, however a library says it; other errors as they are."""
    words = " ".join(str(getattr(error, "strerror", None) or error).split())
    signs = ("No space left", "Disk quota", "file write failed", "Read-only file system")
    if isinstance(error, OSError) or any(sign in words for sign in signs):
        return RecordError(
            f"A checkpoint cannot be written to {folder}: {words}.",
            "Make room on the disk; the training goes on from the one before.",
        )
    return error
