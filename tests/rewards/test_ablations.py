"""The ablations of ML-Agent's reward and the remedy for its neutral value, worked by hand."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from mlxlab.core.records import Probe
from mlxlab.rewards.ml_agent import MLAgentConfig, MLAgentReward
from tests.rewards.reward_steps import EDIT, LIST, RUN, SCRIPT, task, view

ACCURACY = task(m_init=0.5, m_best=0.9)
ERROR = task(m_init=4.0, m_best=2.0, direction="minimize")
INVALID = view(None, "invalid_action", None, 0.6)
FAILED = view(RUN, "error", None, 0.6)
UNSCORED = view(RUN, "no_submission", None, 0.6)
NON_EDIT = view(LIST, "ok", None, 0.6)
EXHAUSTED = view(RUN, "oom", None, 0.6)
PROBED_OUT = view(EDIT, "ok", None, 0.6, Probe(status="timeout"))
SLOW_SCRIPT = view(SCRIPT, "timeout", None, 0.6)
# 100 x 0.004 / 0.4 = 1, sigma(1) = e / (e + 1)
BETTER = view(RUN, "ok", 0.604, 0.6)
WORSE = view(RUN, "ok", 0.6, 0.604)
EQUAL = view(RUN, "ok", 0.6, 0.6)
STEPS = {
    "invalid": INVALID,
    "failed": FAILED,
    "unscored": UNSCORED,
    "non-edit": NON_EDIT,
    "exhausted": EXHAUSTED,
    "probed out": PROBED_OUT,
    "slow script": SLOW_SCRIPT,
    "better": BETTER,
    "worse": WORSE,
    "equal": EQUAL,
}
UP, DOWN = 0.7310585786300049, 0.2689414213699951


def row(**options):
    reward = MLAgentReward(MLAgentConfig(**options))
    return [reward.judge(step, ACCURACY).value for step in STEPS.values()]


@pytest.mark.parametrize(
    ("options", "values"),
    [
        ({}, [0, 0, 0, 0.5, 0.5, 0.5, 0.5, UP, DOWN, 0.5]),
        ({"version": 2}, [-1, -1, -1, 0, 0, 0, 0, 0.01, -0.01, 0]),
        ({"signal": "binary"}, [0, 0, 0, 0.5, 0.5, 0.5, 0.5, 1, 0, 0.5]),
        ({"signal": "binary", "version": 2}, [-1, -1, -1, 0, 0, 0, 0, 1, -1, 0]),
        ({"format": False}, [0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, UP, DOWN, 0.5]),
        ({"format": False, "version": 2}, [0, 0, 0, 0, 0, 0, 0, 0.01, -0.01, 0]),
        ({"corner": False}, [0, 0, 0, 0.5, 0, 0, 0, UP, DOWN, 0.5]),
        ({"corner": False, "version": 2}, [-1, -1, -1, 0, -1, -1, -1, 0.01, -0.01, 0]),
        ({"corner": False, "format": False}, [0.5] * 7 + [UP, DOWN, 0.5]),
        # ln(0.25 / 0.75) = -ln 3: sigma(1 - ln 3) = e / (e + 3), sigma(-1 - ln 3) = 1 / (1 + 3 e)
        (
            {"idle": 0.25},
            [0, 0, 0, 0.25, 0.25, 0.25, 0.25, 0.4753668864186717, 0.10923177257303593, 0.25],
        ),
        (
            {"idle": -0.05, "version": 2},
            [-1, -1, -1, -0.05, -0.05, -0.05, -0.05, -0.04, -0.06, -0.05],
        ),
        ({"idle": 0.25, "signal": "binary"}, [0, 0, 0, 0.25, 0.25, 0.25, 0.25, 1, 0, 0.25]),
        ({"idle": 0.25, "corner": False}, [0, 0, 0, 0.25, 0, 0, 0, 0.47536689, 0.10923177, 0.25]),
        ({"idle": 0.25, "format": False}, [0.25] * 7 + [0.47536689, 0.10923177, 0.25]),
    ],
)
def test_each_case_under_each_option(options, values):
    found = dict(zip(STEPS, row(**options), strict=True))
    assert found == pytest.approx(dict(zip(STEPS, values, strict=True)))


@pytest.mark.parametrize(("version", "lower", "higher"), [(1, 1.0, 0.0), (2, 1.0, -1.0)])
def test_a_binary_signal_knows_that_lower_is_better(version, lower, higher):
    reward = MLAgentReward(MLAgentConfig(version=version, signal="binary"))
    assert reward.judge(view(RUN, "ok", 2.98, 3.0), ERROR).value == lower
    assert reward.judge(view(RUN, "ok", 3.0, 2.98), ERROR).value == higher
    assert reward.judge(view(RUN, "ok", 3.9), ERROR).value == lower  # better than m_init


@pytest.mark.parametrize(
    "options", [{"signal": "binary"}, {"format": False}, {"corner": False}, {"idle": 0.1}]
)
@pytest.mark.parametrize(
    ("info", "step", "reason"),
    [
        (task(0.5, None, m_reason="nobody measured it"), BETTER, "nobody measured it"),
        (task(None, 0.9), BETTER, "no m_init"),
        (task(0.9, 0.9), BETTER, "no gap"),
        (ACCURACY, view(RUN, "ok", None, 0.6), "has no score"),
    ],
)
def test_what_cannot_be_judged_stays_so_under_every_option(options, info, step, reason):
    judged = MLAgentReward(MLAgentConfig(**options)).judge(step, info)
    assert judged.value is None
    assert reason in judged.reason


@given(st.floats(0.001, 0.999), st.floats(0.5, 0.9), st.floats(0.5, 0.9))
def test_the_remedy_keeps_the_order_of_edits(idle, one, other):
    reward = MLAgentReward(MLAgentConfig(idle=idle))
    low, high = (
        reward.judge(view(RUN, "ok", score, 0.7), ACCURACY).value for score in sorted((one, other))
    )
    assert low <= high
    assert reward.judge(view(RUN, "ok", 0.7, 0.7), ACCURACY).value == pytest.approx(idle)


@pytest.mark.parametrize(
    ("version", "idle"),
    [(1, 0.0), (1, 1.0), (1, -0.1), (2, -1.0), (2, 1.0), (1, float("nan")), (2, inf)],
)
def test_idle_lies_between_the_worst_and_the_best(version, idle):
    with pytest.raises(ValidationError, match=r"must lie between|finite number"):
        MLAgentConfig(version=version, idle=idle)


def test_a_binary_signal_bounds_the_second_version_too():
    assert MLAgentReward(MLAgentConfig(version=2, signal="binary")).range == (-1.0, 1.0)
    assert MLAgentReward(MLAgentConfig(version=2)).range == (-inf, inf)
