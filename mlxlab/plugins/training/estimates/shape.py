"""A model's size by its configuration, without its weights."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlxlab.core.errors import UsageError
from mlxlab.core.spec import Spec
from mlxlab.plugins.training.models.tiny import is_tiny, tiny_config

_FED = 3
_CONFIG, _ADAPTER = "config.json", "adapter_config.json"


@dataclass(frozen=True)
class Shape:
    """A decoder of the Llama and Qwen kind.

    Args:
        hidden: channels of a token.
        feed: channels of the gated feed-forward layer.
        heads: channels of all queries together.
        keys: channels of all keys together; as many of values.
        tied: whether the output's weights are the input's.
    """

    layers: int
    hidden: int
    feed: int
    heads: int
    keys: int
    vocab: int
    tied: bool

    @property
    def linear(self) -> tuple[tuple[int, int], ...]:
        """Inputs and outputs of each linear layer of one block."""
        h, f, q, k = self.hidden, self.feed, self.heads, self.keys
        return (h, q), (h, k), (h, k), (q, h), (h, f), (h, f), (f, h)

    @property
    def blocks(self) -> int:
        """Weights of all blocks; norms and biases are left out, below 0.1 %."""
        return self.layers * sum(inputs * outputs for inputs, outputs in self.linear)

    @property
    def head(self) -> int:
        """Weights of the output."""
        return self.vocab * self.hidden

    @property
    def parameters(self) -> int:
        """All weights."""
        return self.blocks + self.head * (1 if self.tied else 2)

    def adapter(self, rank: int) -> int:
        """Weights of a LoRA on every linear layer but the output."""
        return self.layers * rank * sum(inputs + outputs for inputs, outputs in self.linear)


def shape_of(base: str) -> Shape:
    """The shape of a base, by its spec: `tiny?...`, `local:FOLDER`, or a folder.

    Raises:
        UsageError: its config.json is not there, or says too little.
    """
    if is_tiny(base):
        config = tiny_config(base)
        heads, key_heads = config.shape
        feed = config.feed or _FED * config.hidden
        keys = config.hidden // heads * key_heads
        return Shape(
            config.layers, config.hidden, feed, config.hidden, keys, config.vocab, tied=True
        )
    return _read(_folder(base))


def _folder(base: str) -> Path:
    spec = Spec.parse(base) if base.startswith("local:") else None
    folder = Path(base if spec is None else spec.argument or "").expanduser()
    adapter = folder / _ADAPTER
    if adapter.is_file() and not (folder / _CONFIG).is_file():
        said = spec.options.get("base") if spec is not None else None
        name = said or json.loads(adapter.read_text()).get("base_model_name_or_path")
        return Path(str(name)).expanduser()
    return folder


def _read(folder: Path) -> Shape:
    try:
        said = json.loads((folder / _CONFIG).read_text())
        return _shape({**said, **(said.get("text_config") or {})})
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(
            f"What '{folder}' would take cannot be told: its config.json cannot be used ({error}).",
            "A dry run reads hidden_size, intermediate_size, num_hidden_layers and the like there.",
        ) from error


def _shape(config: Mapping[str, Any]) -> Shape:
    hidden, heads = int(config["hidden_size"]), int(config["num_attention_heads"])
    head = int(config.get("head_dim") or hidden // heads)
    return Shape(
        layers=int(config["num_hidden_layers"]),
        hidden=hidden,
        feed=int(config["intermediate_size"]),
        heads=heads * head,
        keys=int(config.get("num_key_value_heads") or heads) * head,
        vocab=int(config["vocab_size"]),
        tied=bool(config.get("tie_word_embeddings", False)),
    )
