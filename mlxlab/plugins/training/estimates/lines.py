"""The lines of a dry run, each with what it is based on.

Compared with a real training (a tiny Qwen2 of 440,000 weights, 128 actions a step of 99 + 11
tokens, one thread): 0.81 GiB of memory told and 0.80 measured; 2.7 s of the model's time a step
told and 3.0 measured, as processor time on a busy machine. On a GPU nothing was compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import ceil

from mlxlab.core.trainer import Estimate, Machine, TrainJob
from mlxlab.plugins.training.estimates.memory import GIB, SHARDED, Part, memory
from mlxlab.plugins.training.estimates.pace import CORE, READING, SERVING, WRITING, Pace, pace
from mlxlab.plugins.training.estimates.shape import Shape, shape_of
from mlxlab.plugins.training.estimates.workload import LETTERS, Workload, workload


def estimates(job: TrainJob, machine: Machine, made: Workload) -> list[Estimate]:
    """What a job takes on a machine; no weights are loaded.

    Args:
        job: its base, and recorded steps that lengths and seconds are taken from.
        machine: without a GPU, the training runs on one core and actions on all of them.
        made: the trainer's own counts.

    Raises:
        UsageError: the base has no config.json that can be used.
    """
    shape = shape_of(job.base.spec)
    work = workload(job, made)
    took = pace(shape, work, machine)
    work = _in_time(work, took)
    return [
        Estimate(name="weights", value=_many(shape.parameters), basis=f"of {job.base.spec}"),
        *_memory(shape, work, machine),
        *_tokens(work),
        *_time(work, machine, took),
    ]


def _in_time(work: Workload, took: Pace) -> Workload:
    """A workload of as many steps as its seconds allow; the last one may pass them."""
    if work.seconds is None:
        return work
    return replace(work, steps=min(work.steps, ceil(work.seconds / took.step_s)))


def _memory(shape: Shape, work: Workload, machine: Machine) -> Iterator[Estimate]:
    parts = memory(shape, work, machine)
    for part in parts:
        yield Estimate(name=f"memory: {part.name}", value=_gib(part.size), basis=part.basis)
    total = sum(part.size for part in parts)
    if not machine.gpus:
        yield Estimate(name="memory", value=_gib(total), basis="of this process")
        return
    fits = _fits(total, machine)
    if machine.gpus > 1 and not work.shards:
        fits += "; each holds whole nets: this trainer cannot spread them"
    yield Estimate(name="memory", value=_gib(total), basis=fits)
    if machine.gpus > 1 and work.shards:
        yield _sharded(parts, work, machine)


def _sharded(parts: Sequence[Part], work: Workload, machine: Machine) -> Estimate:
    """Spread over all GPUs; transformers draws from a copy that is gathered on each of them."""
    shared = sum(part.size for part in parts if part.name in SHARDED)
    least = sum(part.size for part in parts) - shared + shared / machine.gpus
    how = "weights and their states spread by ZeRO-3 or FSDP"
    if work.samples and not work.vllm:
        whole = next(part.size for part in parts if part.name == "weights")
        least += whole / (work.trained + work.frozen)
        how += ", and a whole copy of the weights to draw from"
    basis = f"{how}; {_fits(least, machine)}"
    return Estimate(name="memory, sharded", value=_gib(least), basis=basis)


def _fits(total: float, machine: Machine) -> str:
    """Whether it is less than a GPU has."""
    there = f"of each {machine.gpu_name or 'GPU'}"
    room = machine.gpu_memory_gib
    if not room:
        return there
    fits = "fits" if total <= room * GIB else "does NOT fit"
    return f"{there} of {room:g} GiB: {fits}"


def _tokens(work: Workload) -> Iterator[Estimate]:
    source = "recorded steps, " if work.recorded else "assumed, nothing is recorded: "
    lengths = f"{work.prompt:,.0f} of a prompt + {work.answer:,.0f} of an answer"
    each = work.sequences * work.tokens
    how = f"{source}{LETTERS} characters a token: {lengths}"
    basis = "the trainer's options"
    if work.seconds is not None:
        basis += f", at most {_seconds(work.seconds)} of training"
    yield Estimate(name="optimizer steps", value=f"{work.steps:,}", basis=basis)
    yield Estimate(name="tokens a step", value=_many(each), basis=f"{work.sequences} x ({how})")
    yield Estimate(name="tokens", value=_many(each * work.steps), basis="all steps")


def _time(work: Workload, machine: Machine, took: Pace) -> Iterator[Estimate]:
    writing = SERVING if work.vllm else WRITING
    speed = f"one core at {CORE / 1e9:.0f} GFLOP/s"
    if machine.gpus:
        peak = f"{machine.gpus} x {machine.gpu_tflops:g} TFLOP/s"
        speed = f"{peak}, MFU {READING:g} reading, {writing:g} writing"
    if work.samples:
        yield Estimate(name="sampling a step", value=_seconds(took.generate_s), basis=speed)
    yield Estimate(name="update a step", value=_seconds(took.update_s), basis=speed)
    if work.samples:
        source = "recorded" if work.recorded else "assumed"
        new = f"{work.sequences} x {1 - work.cached:.0%} not carried out before (assumed)"
        basis = f"{new} x {work.execution_s:.2g} s ({source}) / {max(1, machine.cores)} cores"
        yield Estimate(name="executions a step", value=_seconds(took.execute_s), basis=basis)
    hours = took.step_s * work.steps / 3600
    basis = f"{work.steps:,} x {_seconds(took.step_s)}, {took.basis}"
    yield Estimate(name="time", value=_hours(hours), basis=basis)
    if machine.usd_per_hour:
        price = f"${machine.usd_per_hour:g} an hour"
        yield Estimate(name="cost", value=f"${hours * machine.usd_per_hour:,.2f}", basis=price)


def _gib(size: float) -> str:
    return f"{size / GIB:.2f} GiB" if size >= GIB / 10 else f"{size / 2**20:.1f} MiB"


def _many(number: float) -> str:
    for unit, size in (("billion", 1e9), ("million", 1e6), ("thousand", 1e3)):
        if number >= size:
            return f"{number / size:.3g} {unit}"
    return f"{number:.0f}"


def _seconds(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.2g} s"


def _hours(hours: float) -> str:
    if hours >= 1:
        return f"{hours:.1f} h"
    return f"{hours * 60:.1f} min"
