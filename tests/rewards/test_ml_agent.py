"""Equation 6 of ML-Agent, worked by hand in both versions."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from mlxlab.core.records import Probe
from mlxlab.rewards.ml_agent import MLAgentConfig, MLAgentReward
from tests.rewards.reward_steps import EDIT, LIST, RUN, SCRIPT, VALIDATE, task, view

V1, V2 = (MLAgentReward(MLAgentConfig(version=version)) for version in (1, 2))
ACCURACY = task(m_init=0.5, m_best=0.9)
ERROR = task(m_init=4.0, m_best=2.0, direction="minimize")


def values(step, info=ACCURACY):
    return V1.judge(step, info).value, V2.judge(step, info).value


@pytest.mark.parametrize(
    ("info", "m_t", "m_next", "v1", "v2"),
    [
        # 100 x 0.004 / 0.4 = 1, sigma(1) = 1 / (1 + 1/e)
        (ACCURACY, 0.6, 0.604, 0.7310585786300049, 0.01),
        # 100 x 0.02 / 0.4 = 5
        (ACCURACY, 0.6, 0.62, 0.9933071490757153, 0.05),
        (ACCURACY, 0.6, 0.6, 0.5, 0.0),
        (ACCURACY, 0.604, 0.6, 0.2689414213699951, -0.01),
        # lower is better: 100 x (2.98 - 3) / (2 - 4) = 1
        (ERROR, 3.0, 2.98, 0.7310585786300049, 0.01),
        (ERROR, 2.98, 3.0, 0.2689414213699951, -0.01),
        # from m_init to m_best is the whole gap
        (ERROR, 4.0, 2.0, 1.0, 1.0),
        (ACCURACY, 0.9, 0.5, 0.0, -1.0),
    ],
)
def test_an_edit_that_succeeded(info, m_t, m_next, v1, v2):
    step = view(RUN, "ok", m_next, m_t)
    assert values(step, info) == pytest.approx((v1, v2))


def test_without_a_score_before_m_init_takes_its_place():
    judged = V2.judge(view(RUN, "ok", 0.7), ACCURACY)
    assert judged.value == pytest.approx(0.5)
    assert "m_init, as there is no m_t" in judged.reason
    assert judged.parts["m_t"] == 0.5


@pytest.mark.parametrize(
    ("action", "status", "v1", "v2"),
    [
        (None, "invalid_action", 0.0, -1.0),
        (RUN, "invalid_action", 0.0, -1.0),
        (RUN, "error", 0.0, -1.0),
        (RUN, "killed", 0.0, -1.0),
        (RUN, "invalid_submission", 0.0, -1.0),
        (RUN, "no_submission", 0.0, -1.0),
        (RUN, "oom", 0.5, 0.0),
        (RUN, "timeout", 0.5, 0.0),
        (EDIT, "error", 0.0, -1.0),
        (LIST, "ok", 0.5, 0.0),
        (LIST, "error", 0.0, -1.0),
        (SCRIPT, "ok", 0.5, 0.0),
        (SCRIPT, "error", 0.0, -1.0),
        (SCRIPT, "timeout", 0.5, 0.0),
        (SCRIPT, "no_submission", 0.5, 0.0),
        (VALIDATE, "invalid_submission", 0.5, 0.0),
    ],
)
def test_every_other_case_needs_no_scale(action, status, v1, v2):
    assert values(view(action, status, 0.7, 0.6), task()) == (v1, v2)


@pytest.mark.parametrize(
    ("probe", "v1", "v2"),
    [
        (Probe(status="ok", score=0.604), 0.7310585786300049, 0.01),
        (Probe(status="error"), 0.0, -1.0),
        (Probe(status="no_submission"), 0.0, -1.0),
        (Probe(status="timeout"), 0.5, 0.0),
    ],
)
def test_the_probe_decides_about_an_edit_that_only_writes(probe, v1, v2):
    step = view(EDIT, "ok", None, 0.6, probe)
    assert values(step) == pytest.approx((v1, v2))


def test_a_failed_edit_stays_failed_whatever_the_probe_of_the_old_file_says():
    assert values(view(EDIT, "error", None, 0.6, Probe(status="ok", score=0.9))) == (0.0, -1.0)


@pytest.mark.parametrize(
    ("info", "step", "reason"),
    [
        (ACCURACY, view(EDIT, "ok", None, 0.6), "has no score"),
        (ACCURACY, view(RUN, "ok", None, 0.6), "has no score"),
        (ACCURACY, view(RUN, "ok", float("nan"), 0.6), "has no score"),
        (task(0.5, None, m_reason="nobody measured it"), view(RUN, "ok", 0.7), "nobody measured"),
        (task(None, 0.9), view(RUN, "ok", 0.7, 0.6), "no m_init"),
        (task(0.9, 0.9), view(RUN, "ok", 0.7, 0.6), "no gap"),
        (task(0.0, 5e-324), view(RUN, "ok", 1e300, 0.0), "too small"),
        (task(-1e308, 1e308), view(RUN, "ok", 0.5, 0.0), "too large"),
    ],
)
def test_where_nothing_can_be_said_the_reason_is_given(info, step, reason):
    for reward in (V1, V2):
        judged = reward.judge(step, info)
        assert judged.value is None
        assert reason in judged.reason


def test_it_asks_for_probes_and_has_two_versions():
    assert V1.needs == {"probe"}
    assert (V1.range, V2.range) == ((0.0, 1.0), (float("-inf"), float("inf")))
    assert MLAgentConfig.model_validate({"version": "2"}).version == 2
    with pytest.raises(ValidationError):
        MLAgentConfig(version=3)
