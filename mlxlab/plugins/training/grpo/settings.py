"""Our options as those of TRL."""

from __future__ import annotations

from typing import Any

from mlxlab.core.trainer import CHECKPOINTS, Machine, TrainJob
from mlxlab.plugins.training.estimates import Workload
from mlxlab.plugins.training.grpo.config import GRPOConfig
from mlxlab.plugins.training.grpo.layout import Layout, layout
from mlxlab.plugins.training.models import Loaded
from mlxlab.plugins.training.saving import steps_between


def settings(config: GRPOConfig, job: TrainJob, loaded: Loaded, layout: Layout) -> Any:
    """What trl.GRPOTrainer is given as `args`."""
    from trl import GRPOConfig as Arguments

    trained = loaded.parameters()[1]
    return Arguments(
        output_dir=str(job.out / CHECKPOINTS),
        max_steps=config.steps,
        per_device_train_batch_size=layout.rows,
        gradient_accumulation_steps=layout.passes,
        steps_per_generation=layout.at_once,
        num_generations=config.generations,
        num_iterations=config.num_iterations,
        shuffle_dataset=False,
        temperature=config.temperature,
        max_completion_length=config.max_completion_tokens,
        mask_truncated_completions=config.mask_truncated,
        beta=config.beta,
        use_bias_correction_kl=True,  # else the gradient of k3 is not that of the KL
        entropy_coef=config.entropy_bonus,
        epsilon=config.epsilon,
        epsilon_high=config.epsilon_high,
        loss_type=config.loss_type,
        scale_rewards=config.scale_rewards,
        **_optimizer(config, trained),
        **_vllm(config),
        bf16=loaded.bf16,
        gradient_checkpointing=config.gradient_checkpointing,
        use_cpu=loaded.device.type == "cpu",
        dataloader_pin_memory=loaded.device.type != "cpu",
        seed=job.seed,
        logging_steps=1,
        save_strategy="steps",
        save_steps=save_steps(config, trained),
        save_total_limit=2,
        report_to=[name for name in config.report_to.split(",") if name != "none"] or "none",
        disable_tqdm=True,
    )


def save_steps(config: GRPOConfig, trained: int) -> int:
    """Optimizer steps between checkpoints, at each of which new actions are drawn next."""
    wanted = steps_between(config.save_steps, trained)
    return -(-wanted // config.num_iterations) * config.num_iterations


def _optimizer(config: GRPOConfig, trained: int) -> dict[str, Any]:
    kinds = {"constant": "constant_with_warmup", "linear": "linear", "cosine": "cosine"}
    return {
        "learning_rate": config.rate(trained),
        "lr_scheduler_type": kinds[config.schedule],
        "warmup_steps": config.warmup,
        "weight_decay": config.weight_decay,
        "max_grad_norm": config.max_grad_norm,
    }


def _vllm(config: GRPOConfig) -> dict[str, Any]:
    if not config.use_vllm:
        return {"use_vllm": False}
    return {
        "use_vllm": True,
        "vllm_mode": config.vllm_mode,
        "vllm_gpu_memory_utilization": config.vllm_memory,
        "vllm_tensor_parallel_size": config.vllm_tensor_parallel,
        "vllm_server_base_url": config.vllm_url,
    }


def work(config: GRPOConfig, machine: Machine) -> Workload:
    """A training in numbers, for a dry run."""
    plan = layout(config, max(1, machine.gpus))
    measured = config.kl_rows / config.actions if config.kl_rows else 0.0
    full = config.beta > 0 and not config.lora
    return Workload(
        weights=config,
        steps=config.steps,
        seconds=config.max_s,
        sequences=config.actions,
        micro_batch=plan.rows,
        group=config.generations,
        longest=config.max_completion_tokens,
        forwards=1.0 if config.beta else 2 * measured,
        frozen=1 if full or (config.kl_rows and not config.beta and not config.lora) else 0,
        fused=True,
        vllm=config.vllm_memory if config.use_vllm and config.vllm_mode == "colocate" else 0.0,
    )
