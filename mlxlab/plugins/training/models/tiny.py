"""`tiny?hidden=128&...`: a Qwen2 made from nothing, small enough to train on one core."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mlxlab.core.errors import UsageError
from mlxlab.core.mistakes import mistake
from mlxlab.core.spec import Spec
from mlxlab.plugins.training.models.words import END, PAD, learned

TINY = "tiny"
HEAD = 32
"""Channels of one attention head: the fewest that vLLM's kernels take."""


class TinyConfig(BaseModel):
    """The size of a tiny model; the defaults make about 500,000 parameters."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    hidden: int = Field(128, ge=HEAD, multiple_of=HEAD, description="Channels of a token.")
    layers: int = Field(2, gt=0, description="Layers.")
    heads: int | None = Field(
        None, gt=0, description="Attention heads. Default: one for each 32 channels."
    )
    kv_heads: int | None = Field(
        None, gt=0, description="Heads of keys and values. Default: half of the heads."
    )
    feed: int | None = Field(
        None, gt=0, description="Channels between the two halves of a layer. Default: 3 x hidden."
    )
    vocab: int = Field(
        1024, ge=300, le=65536, description="Most tokens; fewer where the texts are few."
    )
    context: int = Field(8192, ge=64, description="Longest text, in tokens.")

    @property
    def shape(self) -> tuple[int, int]:
        """Attention heads, and heads of keys and values; raises UsageError if they do not fit."""
        heads = self.heads or self.hidden // HEAD
        kv_heads = self.kv_heads or max(1, heads // 2)
        if self.hidden % heads or heads % kv_heads:
            raise UsageError(
                f"tiny: {heads} heads with {kv_heads} for keys and values do not divide "
                f"{self.hidden} channels.",
                "Leave heads and kv_heads out, or take numbers that divide each other.",
            )
        return heads, kv_heads


def is_tiny(spec: str) -> bool:
    """Whether a base is to be made from nothing."""
    return spec.partition("?")[0] == TINY


def tiny_config(spec: str) -> TinyConfig:
    """Read `tiny?hidden=128&layers=2`; raises UsageError for an unknown option."""
    try:
        config = TinyConfig.model_validate(Spec.parse(spec).options)
    except ValidationError as error:
        where, said, _ = mistake(error)
        known = ", ".join(TinyConfig.model_fields)
        raise UsageError(
            f"The base '{spec}': {where}: {said}.", f"Its options: {known}."
        ) from error
    return config.model_copy(update=dict(zip(("heads", "kv_heads"), config.shape, strict=True)))


def make_tiny(config: TinyConfig, texts: Iterable[str], seed: int) -> tuple[Any, Any]:
    """A model with random weights and a tokenizer that was learned from texts.

    Equal texts, seeds and options make equal weights and tokenizers.
    """
    import torch
    from transformers import Qwen2Config, Qwen2ForCausalLM

    tokenizer = learned(texts, config.vocab)
    heads, kv_heads = config.shape
    settings = Qwen2Config(
        vocab_size=len(tokenizer),
        hidden_size=config.hidden,
        intermediate_size=config.feed or 3 * config.hidden,
        num_hidden_layers=config.layers,
        num_attention_heads=heads,
        num_key_value_heads=kv_heads,
        max_position_embeddings=config.context,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.convert_tokens_to_ids(END),
        pad_token_id=tokenizer.convert_tokens_to_ids(PAD),
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = Qwen2ForCausalLM(settings).to(torch.float32)
    tokenizer.model_max_length = config.context
    return model, tokenizer
