"""A model that is ready to be trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass
class Loaded:
    """A model in training mode, with its tokenizer.

    Args:
        model: a PreTrainedModel, or a PeftModel where an adapter is trained.
        tokenizer: with a chat template, an end token that ends its turns, and a pad token.
        base: the spec that it was loaded by.
        ends: the tokens that end an answer.
        context: the most tokens of prompt and answer together; None where nobody says.
        adapted: whether only an adapter is trained.
        bf16: whether to compute in bfloat16 where weights are float32 (a GPU).
        fingerprint: names the content of the base; empty for one made from nothing.
        licence: as the base's own card states it; empty where it states none.
    """

    model: Any
    tokenizer: Any
    base: str
    ends: tuple[int, ...]
    context: int | None
    adapted: bool
    bf16: bool
    fingerprint: str = ""
    licence: str = ""

    @property
    def device(self) -> Any:
        """Where the weights are: a torch.device."""
        return next(self.model.parameters()).device

    def parameters(self) -> tuple[int, int]:
        """How many weights there are, and how many of them are trained."""
        counts = [(weight.numel(), weight.requires_grad) for weight in self.model.parameters()]
        return sum(n for n, _ in counts), sum(n for n, trained in counts if trained)
