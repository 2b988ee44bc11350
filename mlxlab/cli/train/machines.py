"""GPUs by name, for dry runs: their memory and what their makers state for dense bf16."""

from __future__ import annotations

from difflib import get_close_matches

from mlxlab.core.errors import UsageError
from mlxlab.core.trainer import Machine

KNOWN = {
    "A10": (24, 125),
    "A100": (80, 312),
    "A100-40": (40, 312),
    "A6000": (48, 155),
    "B200": (192, 2250),
    "H100": (80, 989),
    "H200": (141, 989),
    "L4": (24, 121),
    "L40S": (48, 362),
    "RTX3090": (24, 71),
    "RTX4090": (24, 165),
}
"""GiB and TFLOP/s."""


def machine(
    cores: int,
    gpus: int | None,
    name: str | None,
    memory_gib: float | None,
    tflops: float | None,
    usd_per_hour: float | None,
) -> Machine:
    """The machine that a user describes: what is not said of a known GPU is looked up.

    Raises:
        UsageError: it has a GPU whose speed or memory nobody says.
    """
    number = gpus if gpus is not None else int(bool(name or memory_gib or tflops))
    if not number:
        return Machine(cores=cores, usd_per_hour=usd_per_hour or 0.0)
    known = KNOWN.get((name or "").upper().replace(" ", ""), (0, 0))
    memory, speed = memory_gib or known[0], tflops or known[1]
    if not memory or not speed:
        near = get_close_matches((name or "").upper(), KNOWN, 1)
        guess = f"Did you mean {near[0]}? " if near else ""
        raise UsageError(
            f"Nothing is known of the GPU {name!r}." if name else "It is not said which GPU it is.",
            f"{guess}Known are {', '.join(KNOWN)}; else add --gpu-memory SIZE --gpu-tflops N.",
        )
    return Machine(
        gpus=number,
        gpu_name=name or "",
        gpu_memory_gib=memory,
        gpu_tflops=speed,
        usd_per_hour=usd_per_hour or 0.0,
        cores=cores,
    )
