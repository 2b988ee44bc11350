"""The critic: a language model's layers with one number for each token."""

from __future__ import annotations

from typing import Any

from mlxlab.core.errors import UsageError
from mlxlab.core.trainer import TrainJob
from mlxlab.plugins.training.learning import Learner, still
from mlxlab.plugins.training.models import load
from mlxlab.plugins.training.ppo.config import PPOConfig
from mlxlab.plugins.training.quiet import quiet
from mlxlab.plugins.training.sequences import Sequences, outputs

Tensor = Any


def critic_of(job: TrainJob, config: PPOConfig, learner: Learner) -> Any:
    """A critic with the base's layers, or with the policy's own.

    Its head begins at 0, so that every value does.

    Raises:
        UsageError: transformers has no such form of the model.
    """
    shared = config.critic == "shared"
    if shared and learner.accelerator.num_processes > 1:
        raise UsageError("Several processes cannot share layers.", "Take critic=separate.")
    model = learner.loaded.model if shared else load(job, config).model
    causal = model.get_base_model() if hasattr(model, "get_base_model") else model
    return _headed(causal)


def _headed(causal: Any) -> Any:
    """The layers of a causal model under a head of one number, in transformers' own form."""
    import torch
    from transformers import AutoModelForTokenClassification

    settings = type(causal.config)(**causal.config.to_dict())
    settings.num_labels, settings.classifier_dropout = 1, 0.0
    layers = causal.base_model
    try:
        with quiet(), torch.device("meta"):
            critic = AutoModelForTokenClassification.from_config(settings)
    except ValueError as error:
        raise UsageError(
            f"transformers has no critic for a model of the kind '{settings.model_type}'.",
            "Take the trainer grpo, which needs none.",
        ) from error
    setattr(critic, critic.base_model_prefix, layers)
    weight = next(layers.parameters())
    critic.score = torch.nn.Linear(
        settings.get_text_config().hidden_size, 1, device=weight.device, dtype=weight.dtype
    )
    torch.nn.init.zeros_(critic.score.weight)
    torch.nn.init.zeros_(critic.score.bias)
    return critic.train()


def values_of(net: Any, part: Sequences, share: bool) -> Tensor:
    """The value before each token, in expectation the return from there on: (R, T)."""
    return outputs(net, part, share).squeeze(-1).float()


def values_now(net: Any, learner: Learner, sequences: Sequences) -> Tensor:
    """As `values_of`, of all rows and without gradients; 0 at padding."""
    import torch

    values = torch.zeros_like(sequences.mask)
    with still(net):
        for rows in learner.micro_batches(sequences, range(len(sequences))):
            part = sequences.rows(rows)
            values[rows, : part.ids.shape[1]] = values_of(net, part, learner.share)
    return values * sequences.mask
