"""Memory of one device in training, part by part.

With P weights, of which T are trained, n tokens in a backward pass, L layers of h hidden, q query,
k key and f feed-forward channels, V words, and a bytes of an activation (2 in bfloat16, else 4):

    weights        P x 4; 2 where they are frozen and on a GPU (LoRA)
    casts          P x 2 where float32 weights are computed with in bfloat16
    gradients      T x 4
    optimizer      T x 8, the two moments of AdamW
    activations    n x L x ((6h + 2q + 2k + 4f) x a + 8h): what each layer keeps for the way back;
                   with checkpointing n x h x L x a, and all of one layer
    logits         n x V x (a + 8): as drawn, in float32, and their gradient; a tile of them
                   where the loss is made in tiles
    cache          keys and values of the actions that are sampled at a time, or vLLM's share

Every device holds all of it, unless weights, gradients and moments are sharded (ZeRO-3, FSDP),
which the trainers with an own loop cannot do.
"""

from __future__ import annotations

from dataclasses import dataclass

from mlxlab.core.trainer import Machine
from mlxlab.plugins.training.estimates.shape import Shape
from mlxlab.plugins.training.estimates.workload import Workload

GIB = 2.0**30
SHARDED = ("weights", "gradients", "optimizer", "casts")
"""The parts that several devices can share."""
_ROWS = 64
_TILE = 1 << 28
_PROCESS = {True: 1.5 * GIB, False: 0.7 * GIB}
"""CUDA's context and the code on a GPU (assumed); the code of torch, TRL and the arena on a CPU."""


@dataclass(frozen=True)
class Part:
    """One part of the memory, in bytes."""

    name: str
    size: float
    basis: str


def memory(shape: Shape, work: Workload, machine: Machine) -> list[Part]:
    """What one device holds at its peak."""
    on_gpu, lora = machine.gpus > 0, work.weights.lora
    kept = 2 if (on_gpu and lora) or work.weights.dtype == "bfloat16" else 4
    whole = shape.parameters * (work.trained + work.frozen)
    trained = (shape.adapter(work.weights.lora_r) if lora else shape.parameters) * work.trained
    each = "adapter" if lora else "weight"
    copies = work.trained + work.frozen
    parts = [
        Part("weights", whole * kept, f"{shape.parameters:,} x {kept} bytes x {copies} models"),
        Part("gradients", trained * 4.0, f"{trained:,} trained x 4 bytes ({each}s)"),
        Part("optimizer", trained * 8.0, "AdamW: two moments in float32"),
    ]
    if on_gpu and kept == 4:
        parts.append(Part("casts", whole * 2.0, "bfloat16 copies of float32 weights"))
    parts += _transient(shape, work, machine)
    parts.append(Part("process", _PROCESS[on_gpu], "code and context, as measured elsewhere"))
    return parts


def _transient(shape: Shape, work: Workload, machine: Machine) -> list[Part]:
    """Sampling and learning take turns: the larger one counts, but vLLM keeps its share."""
    a = 2 if machine.gpus else 4
    learning = [_activations(shape, work, a), _logits(shape, work, a)]
    if not work.samples:
        return learning
    if work.vllm:
        share = work.vllm * machine.gpu_memory_gib * GIB
        return [*learning, Part("vLLM", share, f"its share of the GPU: {work.vllm:.0%}")]
    cache = _cache(shape, work, a)
    return learning if sum(part.size for part in learning) > cache.size else [cache]


def _activations(shape: Shape, work: Workload, a: int) -> Part:
    n = work.micro_batch * work.tokens
    h, q, k, f = shape.hidden, shape.heads, shape.keys, shape.feed
    layer = n * ((6 * h + 2 * q + 2 * k + 4 * f) * a + 8 * h)
    tokens = f"{work.micro_batch} x {work.tokens:,.0f} tokens"
    if work.weights.gradient_checkpointing:
        kept = n * h * shape.layers * a
        return Part("activations", kept + layer, f"{tokens}, kept at {shape.layers} layers' inputs")
    return Part("activations", layer * shape.layers, f"{tokens}, kept in {shape.layers} layers")


def _logits(shape: Shape, work: Workload, a: int) -> Part:
    n = work.micro_batch * work.tokens
    if work.fused:
        size = min(n * shape.vocab * 8.0, 3.0 * _TILE)
        return Part("logits", size, "in tiles, with what is derived from them")
    return Part("logits", n * shape.vocab * (a + 8.0), f"{shape.vocab:,} words, and gradients")


def _cache(shape: Shape, work: Workload, a: int) -> Part:
    rows = min(_ROWS, work.sequences)
    size = rows * (work.prompt + work.longest) * shape.layers * 2 * shape.keys * a
    return Part("cache", size, f"keys and values of {rows} answers at a time")
