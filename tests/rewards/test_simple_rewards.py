"""The rewards `improvement` and `valid`, case by case."""

from __future__ import annotations

import pytest

from mlxlab.core.records import Probe
from mlxlab.rewards.improvement import Improvement
from mlxlab.rewards.valid import Valid
from tests.rewards.reward_steps import EDIT, LIST, RUN, SCRIPT, STATUSES, VALIDATE, task, view


@pytest.mark.parametrize(
    ("info", "m_t", "m_next", "value", "unit"),
    [
        (task(0.5, 0.9), 0.6, 0.7, 0.25, "|m_best - m_init|"),
        (task(0.5, 0.9), 0.7, 0.6, -0.25, "|m_best - m_init|"),
        (task(4.0, 2.0, "minimize"), 3.0, 2.5, 0.25, "|m_best - m_init|"),
        (task(4.0, 2.0, "minimize"), 2.5, 3.0, -0.25, "|m_best - m_init|"),
        (task(), 0.5, 0.6, 0.2, "|m_t|"),
        (task(direction="minimize"), -0.5, -0.6, 0.2, "|m_t|"),
        (task(0.5, 0.5), 0.5, 0.6, 0.2, "|m_t|"),
    ],
)
def test_improvement_is_positive_when_better(info, m_t, m_next, value, unit):
    judged = Improvement().judge(view(RUN, "ok", m_next, m_t), info)
    assert judged.value == pytest.approx(value)
    assert unit in judged.reason


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        (view(RUN, "error", None, 0.5), "the step has no score"),
        (view(RUN, "ok", 0.5), "no parent's score"),
        (view(RUN, "ok", 0.5, 0.0), "too small"),
    ],
)
def test_improvement_has_no_value_without_a_comparison(step, reason):
    judged = Improvement().judge(step, task())
    assert judged.value is None
    assert reason in judged.reason


@pytest.mark.parametrize(
    ("step", "value"),
    [
        (view(RUN, "ok", 0.5), 1.0),
        (view(RUN, "ok"), 1.0),
        (view(SCRIPT, "ok"), 1.0),
        (view(VALIDATE, "ok"), 1.0),
        (view(LIST, "ok"), 0.0),
        (view(EDIT, "ok"), 0.0),
        (view(EDIT, "ok", probe=Probe(status="ok")), 1.0),
        (view(EDIT, "ok", probe=Probe(status="no_submission")), 0.0),
        (view(None, "invalid_action"), 0.0),
        *[(view(RUN, status), 0.0) for status in STATUSES if status != "ok"],
    ],
)
def test_valid(step, value):
    assert Valid().judge(step, task()).value == value
