"""The tokenizer of a tiny model, learned from the very texts that the model will see.

It is Qwen2's in form, since transformers loads whatever belongs to a Qwen2 as Qwen2's: digits
apart, words with the blank before them, marks together. What is always written in one go (the keys
of a JSON object with all that surrounds them, a name before a number, lines that every prompt
has) becomes one token more: prompts and answers shrink to about half. Values stay apart, so that
an action is still written choice by choice.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
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

_GLUE = re.compile(
    r'(?:\{|"?,\s?)"\w+":\s?"?'  # a key of a JSON object, with what stands around it
    r'|"\}'
    r"|(?<=\S) [A-Za-z_]+ (?=-?\d)"  # a name before a number
    r"|(?<![\d.])0\.(?=\d)"
)
_LINE = 24
"""Characters from which a line that many texts share is worth a token of its own."""
_SHARED = 0.2
"""Of all texts: so many have to share it."""
_MOST = 256
"""Tokens that are spent on what is written in one go."""


def learned(texts: Iterable[str], most: int) -> Any:
    """A byte-level tokenizer of transformers, with a chat template.

    Args:
        texts: what it is learned from; every other text can be written with it too.
        most: tokens, marks and the 256 bytes included.
    """
    try:
        from tokenizers import AddedToken
        from transformers import Qwen2Tokenizer
    except ImportError as error:
        raise MissingExtra("A model for training", "train") from error
    known = list(texts)
    glue = _shared(known, min(_MOST, (most - 256 - len(MARKS)) // 2))
    vocabulary, merges = _pairs(_apart(known, glue), most - len(glue))
    tokenizer = Qwen2Tokenizer(
        vocab=vocabulary,
        merges=merges,
        unk_token=PAD,
        eos_token=END,
        pad_token=PAD,
        additional_special_tokens=list(MARKS[2:]),
        clean_up_tokenization_spaces=False,
    )
    tokenizer.add_tokens([AddedToken(text, special=False, normalized=False) for text in glue])
    tokenizer.chat_template = TEMPLATE
    return tokenizer


def _shared(texts: Sequence[str], most: int) -> list[str]:
    """What is written in one go, the most frequent first; plain ASCII, as decoding needs it."""
    counts: Counter[str] = Counter()
    lines: Counter[str] = Counter()
    for text in texts:
        found = set(_GLUE.findall(text))
        counts.update(found)
        lines.update({line for line in text.split("\n") if len(line) >= _LINE})
    few = max(2, round(0.01 * len(texts)))
    enough = max(few, round(_SHARED * len(texts)))
    kept = [(count, text) for text, count in counts.items() if count >= few]
    kept += [(n, text) for text, n in lines.items() if n >= enough and not _GLUE.search(text)]
    kept = [(count, text) for count, text in kept if text.isascii() and "<|" not in text]
    return [text for _, text in sorted(kept, key=lambda each: (-each[0], each[1]))[:most]]


def _apart(texts: Sequence[str], glue: Sequence[str]) -> list[str]:
    """The texts between what is written in one go."""
    if not glue:
        return list(texts)
    longest = sorted(glue, key=lambda text: (-len(text), text))
    pattern = re.compile("|".join(map(re.escape, longest)))
    return [part for text in texts for part in pattern.split(text) if part]


def _pairs(texts: Sequence[str], most: int) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """Vocabulary and merges of byte pairs, learned as Qwen2's tokenizer will cut texts."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from transformers import Qwen2Tokenizer

    form = Qwen2Tokenizer(vocab={PAD: 0}, merges=[]).backend_tokenizer
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer, tokenizer.pre_tokenizer = form.normalizer, form.pre_tokenizer
    trainer = trainers.BpeTrainer(
        vocab_size=most,
        min_frequency=2,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        special_tokens=list(MARKS),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    model = json.loads(tokenizer.to_str())["model"]
    return dict(model["vocab"]), [(first, second) for first, second in model["merges"]]
