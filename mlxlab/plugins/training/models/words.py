"""The tokenizer of a tiny model, learned from the very texts that the model will see.

A tiny model reads a long prompt badly and slowly. So words that always stand together become one
token, whole lines of a prompt that never change among them, while everything that an action is
made of (names in quotes, digits) stays apart, so that actions are written piece by piece.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mlxlab.core.errors import MissingExtra

PAD, END = "<|endoftext|>", "<|im_end|>"
ROLES = ("system", "user", "assistant", "tool")
MARKS = (PAD, END, *(f"<|{role}|>" for role in ROLES))

TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|' + message.role + '|>' + message.content + '<|im_end|>' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)
"""One token for who speaks and one for the end, where ChatML takes four."""

_PIECES = (
    r"0\.|\d"
    r"|[\p{L}\p{M}_' ,.:;()\-]+(?=\n|$)"
    r"|[\p{L}\p{M}_']+[ ]?"
    r"|[^\p{L}\p{M}\d_' \n]+[ ]?"
    r"|\n+[ ]*|[ ]+"
)
"""What is merged at most: prose up to the end of its line, words, marks, never two digits."""


def learned(texts: Iterable[str], most: int) -> Any:
    """A byte-level tokenizer of transformers, with a chat template.

    Args:
        texts: what it is learned from; every other text can be written with it too.
        most: tokens, marks and the 256 bytes included.
    """
    try:
        from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
        from transformers import PreTrainedTokenizerFast
    except ImportError as error:
        raise MissingExtra("A model for training", "train") from error
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_PIECES), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=most,
        min_frequency=2,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        special_tokens=list(MARKS),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token=END,
        pad_token=PAD,
        additional_special_tokens=list(MARKS[2:]),
        clean_up_tokenization_spaces=False,
    )
    wrapped.chat_template = TEMPLATE
    return wrapped
