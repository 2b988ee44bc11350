"""The model in training, in the trainers that take their own optimizer steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from copy import deepcopy
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from pydantic import Field

from mlxlab.core.errors import MissingExtra
from mlxlab.core.trainer import TrainJob
from mlxlab.plugins.training.losses import entropies, token_logprobs
from mlxlab.plugins.training.models import Loaded, Weights, load
from mlxlab.plugins.training.prompting import Prompts
from mlxlab.plugins.training.sampling import Drawing, Writer
from mlxlab.plugins.training.sequences import Sequences, inner, outputs
from mlxlab.plugins.training.tracking import named

Tensor = Any
LOGITS = 1 << 26
"""Numbers in the logits of one forward pass, by default: 256 MiB of float32."""


class Learning(Weights):
    """What the trainers with an own loop let their user say; their configs inherit it."""

    max_s: float | None = Field(
        None,
        gt=0,
        allow_inf_nan=False,
        description="Seconds of training, without loading: the step in which they pass is the "
        "last, though `steps` are more. Of a killed training those up to its last checkpoint "
        "count.",
    )
    temperature: float = Field(1.0, gt=0, description="Of sampling, and of the probabilities.")
    max_completion_tokens: int = Field(256, gt=0, description="Longest action, in tokens.")
    max_prompt_tokens: int | None = Field(
        None, gt=0, description="States with a longer prompt are left out. Default: what fits."
    )
    sample_batch: int = Field(64, gt=0, description="Actions that are sampled at a time.")
    micro_batch: int | None = Field(
        None,
        gt=0,
        description="Actions of one backward pass. Default: by the size of their logits.",
    )
    lr: float | None = Field(
        None,
        gt=0,
        description="Learning rate. Default: 3e-4 below 10 million weights, 1e-5 for an adapter, "
        "1e-6 for all weights of a larger model.",
    )
    weight_decay: float = Field(0.0, ge=0, description="Of AdamW.")
    max_grad_norm: float = Field(1.0, gt=0, description="Longer gradients are shortened to it.")
    kl_rows: int = Field(
        16,
        ge=0,
        description="Actions of a step on which the KL to the start policy is measured where beta "
        "is 0; 0: not at all, and no second copy of the model.",
    )
    save_steps: int | None = Field(
        None,
        gt=0,
        description="Steps between checkpoints. Default: 1, or 10 where a checkpoint is larger "
        "than 1 GB. A kill loses what came after the last one.",
    )
    report_to: str = Field(
        "none", description="Trackers of accelerate, by commas: tensorboard, wandb, ..."
    )

    def rate(self, trained: int) -> float:
        """The learning rate, given how many weights are trained."""
        if self.lr is not None:
            return self.lr
        if self.lora:
            return 1e-5
        return 3e-4 if trained < 10_000_000 else 1e-6

    def rows_at_once(self, tokens: int, vocabulary: int) -> int:
        """Rows of one forward pass over completions of so many tokens."""
        return self.micro_batch or max(1, LOGITS // (max(1, tokens) * vocabulary))


@dataclass
class Optimized:
    """A net and what changes its weights."""

    net: Any
    optimizer: Any

    def trained(self) -> list[Any]:
        """The weights that the optimizer changes."""
        return [weight for group in self.optimizer.param_groups for weight in group["params"]]


class Learner:
    """The policy in training, with the one that it began as.

    One process, or several under `accelerate launch` (untested): each holds whole nets and works on
    its own share of the actions, and accelerate averages gradients. Nothing is sharded: optimizers
    are made before nets are wrapped, and checkpoints and sampling read whole weights.

    Args:
        job: says which base.
        config: the options.
        reference: whether the start policy will be asked.
    """

    def __init__(self, job: TrainJob, config: Learning, *, reference: bool) -> None:
        if find_spec("accelerate") is None or find_spec("torch") is None:
            raise MissingExtra("Training with an own loop", "train")
        import torch
        from accelerate import Accelerator, PartialState

        # Gives each process its GPU before anything is loaded; without one, processes meet by gloo.
        PartialState(cpu=not torch.accelerator.is_available())
        self.config = config
        self.loaded: Loaded = load(job, config)
        self.accelerator = Accelerator(
            mixed_precision="bf16" if self.loaded.bf16 else "no",
            log_with=named(config.report_to) or None,
            project_dir=str(job.out),
        )
        self._reference = _reference(self.loaded) if reference else None
        self.lr = config.rate(self.loaded.parameters()[1])
        self.policy = self.optimized(self.loaded.model, self.lr)
        self.vocabulary = int(self.net.config.get_text_config().vocab_size)

    @property
    def net(self) -> Any:
        """The policy's net without the wrapper for several processes."""
        return inner(self.policy.net)

    @property
    def share(self) -> bool:
        """Whether completions may share the reading of their prompt."""
        return not self.config.gradient_checkpointing

    def optimized(self, net: Any, lr: float, without: Sequence[Any] = ()) -> Optimized:
        """A net under AdamW, ready for accelerate.

        Args:
            net: what is trained.
            lr: its learning rate.
            without: weights that another optimizer changes.
        """
        import torch

        others = {id(weight) for weight in without}
        weights = [w for w in net.parameters() if w.requires_grad and id(w) not in others]
        adam = torch.optim.AdamW(weights, lr=lr, weight_decay=self.config.weight_decay)
        placed = self.accelerator.prepare_model(net, device_placement=False)
        return Optimized(placed, self.accelerator.prepare_optimizer(adam, device_placement=False))

    def writer(self) -> Writer:
        """What draws completions from the policy as it stands."""
        drawing = Drawing(
            temperature=self.config.temperature,
            max_tokens=self.config.max_completion_tokens,
            rows=self.config.sample_batch,
        )
        return Writer(self.net, self.loaded.tokenizer, self.loaded.ends, drawing)

    def prompts(self, writer: Writer, warn: Callable[[str], None]) -> Prompts:
        """What writes prompts, where they fit."""
        return Prompts(writer, self.loaded.context, warn, self.config.max_prompt_tokens)

    def sequences(self, completions: Sequence[Any]) -> Sequences:
        """Completions as tensors on the policy's device."""
        pad = int(self.loaded.tokenizer.pad_token_id)
        return Sequences.of(completions, pad, self.loaded.device)

    def micro_batches(self, sequences: Sequences, rows: Sequence[int]) -> Iterator[list[int]]:
        """Rows in the portions of one forward pass."""
        size = self.config.rows_at_once(int(sequences.ids.shape[1]), self.vocabulary)
        for begin in range(0, len(rows), size):
            yield list(rows[begin : begin + size])

    def now(self, sequences: Sequences) -> tuple[Tensor, Tensor]:
        """Logarithms of probability, and entropies, of the policy as it stands: (R, T) each."""
        import torch

        logprobs, entropy = torch.zeros_like(sequences.mask), torch.zeros_like(sequences.mask)
        with still(self.policy.net):
            for rows in self.micro_batches(sequences, range(len(sequences))):
                part = sequences.rows(rows)
                logits = outputs(self.policy.net, part, self.share)
                there = slice(0, part.ids.shape[1])
                logprobs[rows, there] = token_logprobs(logits, part.ids, self.config.temperature)
                entropy[rows, there] = entropies(logits, self.config.temperature)
        return logprobs * sequences.mask, entropy * sequences.mask

    def before(self, sequences: Sequences) -> Tensor | None:
        """Logarithms of probability of the policy that training began with; None: not kept."""
        import torch

        if self._reference is None:
            return None
        logprobs = torch.zeros_like(sequences.mask)
        with self._reference.asked() as net, self.accelerator.autocast():
            for rows in self.micro_batches(sequences, range(len(sequences))):
                part = sequences.rows(rows)
                logits = outputs(net, part, self.share)
                found = token_logprobs(logits, part.ids, self.config.temperature)
                logprobs[rows, : part.ids.shape[1]] = found
        return logprobs * sequences.mask

    def forward(self, part: Sequences) -> Tensor:
        """The policy's logits with gradients: (R, T, V)."""
        return outputs(self.policy.net, part, self.share)

    def step(self, which: Optimized) -> float:
        """Take an optimizer step; returns the length of the gradient before it was shortened."""
        norm = self.accelerator.clip_grad_norm_(which.trained(), self.config.max_grad_norm)
        which.optimizer.step()
        which.optimizer.zero_grad()
        return float(norm)

    def syncing(self, last: bool, *nets: Any) -> Any:
        """Several backward passes of one step: processes meet in the last one only."""
        return nullcontext() if last else self.accelerator.no_sync(*nets[:1])


@contextmanager
def still(net: Any) -> Iterator[None]:
    """No gradients and no dropout for a while."""
    import torch

    training = net.training
    net.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        net.train(training)


class Copy:
    """The start policy as a second model."""

    def __init__(self, net: Any) -> None:
        self._net = deepcopy(net).eval().requires_grad_(False)

    @contextmanager
    def asked(self) -> Iterator[Any]:
        """The net, without gradients."""
        with still(self._net):
            yield self._net


class Underneath:
    """The start policy as the policy without its adapter, which began as nothing."""

    def __init__(self, net: Any) -> None:
        self._net = net

    @contextmanager
    def asked(self) -> Iterator[Any]:
        """The net, without gradients and adapter."""
        with still(self._net), self._net.disable_adapter():
            yield self._net


def _reference(loaded: Loaded) -> Copy | Underneath:
    weights: Mapping[str, Any] = dict(loaded.model.named_parameters())
    begun = [bool(weight.any()) for name, weight in weights.items() if "lora_B" in name]
    return Underneath(loaded.model) if begun and not any(begun) else Copy(loaded.model)
