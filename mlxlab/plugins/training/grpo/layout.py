"""Which of a step's states each process works on, and in which backward pass."""

from __future__ import annotations

from dataclasses import dataclass

from mlxlab.core.errors import UsageError
from mlxlab.plugins.training.grpo.config import GRPOConfig

MOST = 32


@dataclass(frozen=True)
class Layout:
    """A step's actions, cut into backward passes.

    Args:
        states: of one step, over all processes.
        group: actions of each state.
        rows: actions of one backward pass of one process: whole groups.
        passes: backward passes of one optimizer step.
        reuses: optimizer steps on the same actions.
        whole: whether advantage or loss of one action depends on all others of the step.
        processes: that train together.
    """

    states: int
    group: int
    rows: int
    passes: int
    reuses: int = 1
    processes: int = 1
    whole: bool = False

    @property
    def at_once(self) -> int:
        """Backward passes whose actions the trainer asks for together.

        One where actions are used once: it then asks as late as can be, while others are still
        carried out. All where they are used again, since the trainer keeps what it asked for, and
        where it takes means over all that it asked for.
        """
        return self.passes if self.whole or self.reuses > 1 else 1

    @property
    def calls(self) -> int:
        """How often the trainer asks for actions in one draw of them."""
        return self.passes // self.at_once

    def own(self, process: int) -> list[int]:
        """The states, by number within the step, in the order in which they are used."""
        each = self.rows // self.group * self.at_once
        turns = range(process, self.calls * self.processes, self.processes)
        return [turn * each + place for turn in turns for place in range(each)]


def layout(config: GRPOConfig, processes: int = 1) -> Layout:
    """Cut a step's actions into equal backward passes.

    Raises:
        UsageError: they cannot be.
    """
    group, total = config.generations, config.actions
    states, left = divmod(config.states_per_step, processes)
    if left:
        raise UsageError(
            f"{config.states_per_step} states a step cannot be shared by {processes} processes.",
            f"Take a multiple: states_per_step={processes * (states + 1)}.",
        )
    if config.micro_batch is None:
        fitting = [n for n in range(1, states + 1) if states % n == 0 and n * group <= MOST]
        rows = group * max(fitting, default=1)
    else:
        rows = config.micro_batch
    if rows % group or (total // processes) % rows:
        raise UsageError(
            f"micro_batch={rows} does not cut {total} actions in groups of {group} evenly on "
            f"{processes} processes.",
            f"Take a multiple of generations={group} that divides {total // processes}.",
        )
    return Layout(
        states=config.states_per_step,
        group=group,
        rows=rows,
        passes=total // processes // rows,
        reuses=config.num_iterations,
        processes=processes,
        whole=config.loss_type == "dapo" or config.scale_rewards == "batch",
    )
