"""Mixtures of rewards, by hand."""

from __future__ import annotations

from math import inf

import pytest

from mlxlab.core.boundary import whose
from mlxlab.core.errors import UnknownComponent, UsageError
from mlxlab.core.hooks import Hooks
from mlxlab.core.judging import judge
from mlxlab.core.records import RewardValue
from mlxlab.core.registry import Registry
from mlxlab.rewards.weighted import Weighted, WeightedConfig
from tests.rewards.reward_steps import LIST, RUN, task, view

ACCURACY = task(m_init=0.5, m_best=0.9)
BETTER = view(RUN, "ok", 0.62, 0.6)


def made(spec):
    return Registry.installed().create("reward", spec)


@pytest.mark.parametrize(
    ("spec", "step", "value"),
    [
        # sigma(5) = 0.9933071490757153; valid gives 1 to a scored submission, 0 to a listing
        ("weighted:ml-agent=0.7,valid=0.3", BETTER, 0.7 * 0.9933071490757153 + 0.3),
        ("weighted:ml-agent=0.7,valid=0.3", view(LIST, "ok", None, 0.6), 0.35),
        ("weighted:ml-agent=0.7,valid=0.3", view(RUN, "error", None, 0.6), 0.0),
        # version 2: a gain of 0.05; no normalising of weights
        ("weighted:ml-agent%3Fversion=2=2,valid=-0.5", BETTER, 2 * 0.05 - 0.5),
        ("weighted:ml-agent%3Fversion=2%26idle=-0.1=1", view(LIST, "ok"), -0.1),
        ("weighted:weighted:valid%253D3=2,improvement=1", BETTER, 6.05),
    ],
)
def test_the_sum_of_the_parts_times_their_weights(spec, step, value):
    judged = made(spec).instance.judge(step, ACCURACY)
    assert judged.value == pytest.approx(value)


def test_parts_and_reason_name_each_reward_by_its_spec():
    judged = made("weighted:ml-agent%3Fversion=2=2,valid=-0.5").instance.judge(BETTER, ACCURACY)
    assert judged.parts == pytest.approx({"ml-agent?version=2": 0.05, "valid": 1.0})
    assert judged.reason == "2 x 0.05 (ml-agent?version=2) + -0.5 x 1 (valid)"


def test_a_silent_part_silences_the_mixture_and_says_why():
    judged = made("weighted:valid=1,ml-agent=1").instance.judge(BETTER, task(m_reason="unknown"))
    assert judged.value is None
    assert judged.reason == "ml-agent: no m_init or no m_best: unknown"
    assert judged.parts == {"valid": 1.0}


@pytest.mark.parametrize(
    ("mixture", "ends", "needs"),
    [
        ("ml-agent=0.7,valid=0.3", (0.0, 1.0), {"probe"}),
        ("valid=1,human-rank=-2", (-2.0, 1.0), {"boards"}),
        ("ml-agent=1,human-rank=1", (0.0, 2.0), {"probe", "boards"}),
        ("improvement=-1,valid=1", (-inf, inf), set()),
    ],
)
def test_range_and_needs_are_those_of_the_parts_together(mixture, ends, needs):
    reward = Weighted(WeightedConfig(mixture=mixture))
    assert reward.range == pytest.approx(ends)
    assert reward.needs == needs


def test_what_is_recorded_makes_the_same_mixture_again():
    first = made("weighted:ml-agent%3Fversion=2=0.7,valid=0.3")
    again = made(first.ref.spec)
    assert again.ref == first.ref
    assert again.instance.judge(BETTER, ACCURACY) == first.instance.judge(BETTER, ACCURACY)


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("weighted", "needs a mixture"),
        ("weighted:ml-agent", "'ml-agent' is not reward=weight"),
        ("weighted:valid=1,", "'' is not reward=weight"),
        ("weighted:valid=much", "'much', which is no number"),
        ("weighted:valid=0", "no number other than 0"),
        ("weighted:valid=inf", "no number other than 0"),
        ("weighted:valid=1,valid=2", "'valid' occurs twice"),
        ("weighted:ml-agent%3Fversion=3=1", "version"),
    ],
)
def test_a_wrong_mixture_is_one_clear_line(spec, said):
    with pytest.raises(UsageError, match=r"reward '(weighted|ml-agent)'") as raised:
        made(spec)
    assert said in raised.value.message
    assert "\n" not in str(raised.value)


def test_an_unknown_part_is_named_with_what_comes_near():
    with pytest.raises(UnknownComponent, match="Did you mean 'valid'"):
        made("weighted:valdi=1")


@pytest.mark.parametrize(
    ("part", "said"),
    [
        (lambda self, step, task: 1 / 0, "judge failed: ZeroDivisionError: division by zero"),
        (lambda self, step, task: 1.0, "judge returned float, no RewardValue"),
        (lambda self, step, task: RewardValue(value=2.0, reason=""), "judge returned 2.0, outside"),
    ],
)
def test_a_part_that_fails_is_told_by_its_own_name(monkeypatch, part, said):
    mixture = made("weighted:ml-agent=0.7,valid=0.3")
    monkeypatch.setattr("mlxlab.rewards.valid.Valid.judge", part)
    hooks = Hooks()
    value = judge(whose(mixture.ref), mixture.instance, BETTER, ACCURACY, hooks)
    assert value.value is None and f"{whose(made('valid').ref)}: {said}" in value.reason
    assert list(hooks.broken) == [whose(made("valid").ref)]


def test_a_mixture_is_shown_as_it_is_written():
    assert made("weighted:ml-agent=0.7,valid=0.3").ref.spec == "weighted:ml-agent=0.7,valid=0.3"
