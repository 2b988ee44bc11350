"""Where every draw of a run comes from: its seed, and the number of the step."""

from __future__ import annotations

from random import Random

from mlxlab.core.records import Decision


def of_choice(seed: int, step: int) -> Random:
    """What a scaffold draws from when it proposes a step."""
    return Random(f"{seed}:{step}")


def of_call(decision: Decision, index: int) -> int:
    """The seed of a step's call: another one for each, and the same with the run's seed."""
    return Random(f"{decision.seed}:{decision.step}:{index}").getrandbits(31)
