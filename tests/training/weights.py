"""Weights of models in folders, compared."""

from __future__ import annotations

from pathlib import Path


def changed(one: Path, other: Path, name: str = "model.safetensors") -> bool:
    """Whether two models of one shape differ in any weight."""
    import torch
    from safetensors.torch import load_file

    first, second = load_file(one / name), load_file(other / name)
    assert first.keys() == second.keys()
    return any(not torch.equal(first[key], second[key]) for key in first)
