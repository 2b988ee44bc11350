"""How often a model in training answers with an action: text alone, nothing is carried out."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from mlxlab.core.records import Completion
from mlxlab.core.registry import Registry
from mlxlab.core.scaffold import Ask, Scaffold
from mlxlab.plugins.policies.local.answers import Reader
from mlxlab.plugins.training.models import Loaded
from mlxlab.plugins.training.sft.rows import Row

_TOKENS = 16_384
"""Of prompts that are answered together."""


def valid_text(loaded: Loaded, rows: Sequence[Row], seed: int) -> float:
    """The share of prompts whose sampled answer the scaffold reads as an action.

    Answers are drawn at temperature 1, up to twice the length of the longest recorded one, and
    without touching the dice of the training.
    """
    import torch

    longest = max(len(row) for row in rows)
    size = max(1, _TOKENS // longest)
    most = 2 * max(len(row.answer) for row in rows)
    was = loaded.model.training
    loaded.model.eval()
    devices = [loaded.device] if loaded.device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices), torch.no_grad():
        torch.manual_seed(seed)
        found = [
            reads(loaded, row, ids)
            for start in range(0, len(rows), size)
            for row, ids in _drawn(loaded, rows[start : start + size], most)
        ]
    loaded.model.train(was)
    return sum(found) / len(found)


def reads(loaded: Loaded, row: Row, ids: Sequence[int]) -> bool:
    """Whether drawn tokens hold an action for the row's decision."""
    text, reasoning = Reader(loaded.tokenizer, frozenset(loaded.ends)).read(ids, "")
    decision = row.example.state.decision
    completion = Completion(text=text, reasoning=reasoning)
    return not isinstance(_scaffold(decision.scaffold.spec).parse(decision, completion), Ask)


def _drawn(loaded: Loaded, rows: Sequence[Row], most: int) -> list[tuple[Row, list[int]]]:
    import torch
    from transformers import GenerationConfig

    width = max(len(row.prompt) for row in rows)
    pad = loaded.tokenizer.pad_token_id
    ids = [[pad] * (width - len(row.prompt)) + [*row.prompt] for row in rows]
    mask = [[0] * (width - len(row.prompt)) + [1] * len(row.prompt) for row in rows]
    drawing = GenerationConfig(
        do_sample=True,
        temperature=1.0,
        top_k=0,
        max_new_tokens=most,
        eos_token_id=list(loaded.ends),
        pad_token_id=pad,
        use_cache=True,
    )
    drawn = loaded.model.generate(
        input_ids=torch.tensor(ids, device=loaded.device),
        attention_mask=torch.tensor(mask, device=loaded.device),
        generation_config=drawing,
    )[:, width:].tolist()
    return [(row, _ended(ids, loaded.ends)) for row, ids in zip(rows, drawn, strict=True)]


def _ended(ids: list[int], ends: Sequence[int]) -> list[int]:
    stop = next((place for place, token in enumerate(ids) if token in ends), len(ids))
    return ids[: stop + 1]


@cache
def _scaffold(spec: str) -> Scaffold:
    scaffold: Scaffold = Registry.installed().create("scaffold", spec).instance
    return scaffold
