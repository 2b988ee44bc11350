"""How a step's actions are cut into backward passes of several processes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlxlab.core.errors import UsageError
from mlxlab.plugins.training.grpo.config import GRPOConfig
from mlxlab.plugins.training.grpo.layout import layout


@given(
    states=st.integers(1, 24),
    generations=st.integers(2, 40),
    processes=st.integers(1, 4),
    again=st.integers(1, 3),
)
def test_every_state_belongs_to_one_process_and_one_pass(
    states: int, generations: int, processes: int, again: int
) -> None:
    config = GRPOConfig(
        states_per_step=states * processes, generations=generations, num_iterations=again
    )
    plan = layout(config, processes)
    own = [plan.own(process) for process in range(processes)]
    assert sorted(place for each in own for place in each) == list(range(states * processes))
    assert plan.rows % generations == 0
    assert plan.rows * plan.passes * processes == config.actions


@pytest.mark.parametrize("rows", [12, 48])
def test_a_micro_batch_that_splits_groups_or_the_step_is_refused(rows: int) -> None:
    config = GRPOConfig(states_per_step=4, generations=8, micro_batch=rows)
    with pytest.raises(UsageError, match="micro_batch"):
        layout(config)


def test_states_that_processes_cannot_share_are_refused() -> None:
    with pytest.raises(UsageError, match="states_per_step=6"):
        layout(GRPOConfig(states_per_step=5), processes=3)


def test_a_preset_fills_in_what_is_not_said() -> None:
    config = GRPOConfig(preset="ml-agent", steps=3)
    assert (config.steps, config.lr, config.beta, config.actions) == (3, 1e-6, 0.001, 256)
