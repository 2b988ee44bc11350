"""Seconds of an optimizer step.

Operations of a token, with P weights in use, E of them embeddings that are looked up, d tokens
before it and L layers of q query channels:

    forward        2 (P - E) + 4 L q d
    backward       twice that; once where only an adapter is trained
    checkpointing  one more forward

A GPU reaches a share of what its maker states (model FLOPs utilisation, MFU): 0.35 where many
tokens are read together, 0.03 where transformers writes a token at a time, 0.15 where vLLM does.
A core of a CPU reaches some 20 GFLOP/s in float32, and each layer of each pass costs a part of a
millisecond whatever its size, which is most of a tiny model's time.
"""

from __future__ import annotations

from dataclasses import dataclass

from mlxlab.core.errors import UsageError
from mlxlab.core.trainer import Machine
from mlxlab.plugins.training.estimates.shape import Shape
from mlxlab.plugins.training.estimates.workload import Workload

READING, WRITING, SERVING = 0.35, 0.03, 0.15
CORE = 20e9
LAYER_S = 0.6e-3
_ROWS = 64


@dataclass(frozen=True)
class Pace:
    """Seconds of an optimizer step, by phase."""

    generate_s: float
    update_s: float
    execute_s: float
    step_s: float
    basis: str


def pace(shape: Shape, work: Workload, machine: Machine) -> Pace:
    """How long a step takes: executions overlap with the model where it has a processor alone.

    Raises:
        UsageError: it is not said how fast the GPUs are.
    """
    if machine.gpus and not machine.gpu_tflops:
        raise UsageError("It is not said how fast the GPUs are.", "Say so: their gpu_tflops.")
    generate = _generate(shape, work, machine) if work.samples else 0.0
    update = _update(shape, work, machine)
    execute = 0.0
    if work.samples:
        new = work.sequences * (1 - work.cached)
        execute = new * work.execution_s / max(1, machine.cores)
    model = generate + update
    if machine.gpus:
        return Pace(generate, update, execute, max(model, execute), "executions beside the model")
    shared = max(model, execute, (model + execute * machine.cores) / max(1, machine.cores))
    return Pace(generate, update, execute, shared, "model and executions share the cores")


def _forward(shape: Shape, before: float) -> float:
    """Operations of one token with so many before it, in a pass over known tokens."""
    used = shape.blocks + shape.head
    return 2.0 * used + 4.0 * shape.layers * shape.heads * before


def _speed(machine: Machine, share: float) -> float:
    """Operations a second."""
    if machine.gpus:
        return machine.gpus * machine.gpu_tflops * 1e12 * share
    return CORE  # one thread: the other cores carry actions out


def _update(shape: Shape, work: Workload, machine: Machine) -> float:
    forward = _forward(shape, work.tokens / 2)
    back = 1.0 if work.weights.lora else 2.0
    again = 1.0 if work.weights.gradient_checkpointing else 0.0
    times = work.passes * (1 + back + again) * work.trained + work.forwards
    alone = machine.gpus <= 1 and not work.weights.gradient_checkpointing
    tokens = work.prompt / (work.group if alone else 1) + work.answer
    seconds = work.sequences * tokens * forward * times / _speed(machine, READING)
    rounds = -(-work.sequences // (work.micro_batch * max(1, machine.gpus)))
    return seconds + rounds * shape.layers * LAYER_S * times


def _generate(shape: Shape, work: Workload, machine: Machine) -> float:
    prompts = work.sequences / work.group * work.prompt
    read = prompts * _forward(shape, work.prompt / 2) / _speed(machine, READING)
    written = work.sequences * work.answer * _forward(shape, work.tokens)
    wrote = written / _speed(machine, SERVING if work.vllm else WRITING)
    rounds = -(-work.sequences // (_ROWS * max(1, machine.gpus)))
    return read + wrote + rounds * work.answer * shape.layers * LAYER_S
