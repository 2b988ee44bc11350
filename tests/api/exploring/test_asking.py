"""What is asked, and what is read out of answers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlxlab.api.exploring.asking import AXES, LONGEST, ideas_in, request_for
from mlxlab.core.records import ComponentRef
from tests.rewards.reward_steps import task

SCAFFOLD = ComponentRef(kind="scaffold", name="recipe", spec="recipe")


@pytest.mark.parametrize(
    ("text", "ideas"),
    [
        ("[advice] Scale it.\n[advice] Grow a tree.", ["Scale it.", "Grow a tree."]),
        ("Sure!\n[advice]\nScale it.\n\n- Grow a tree.", ["Scale it.", "Grow a tree."]),
        ("[ADVICE]: Scale it.\nthen some talk\n1. [advice] Grow it.", ["Scale it.", "Grow it."]),
        ("- [advice] **Scale it.**\n- [Advice] scale  IT.", ["Scale it."]),
        ("1. Scale it.\n2) Grow a tree.\nThat is all.", ["Scale it.", "Grow a tree."]),
        ("I cannot help with that.", []),
        ("[advice] no\n[advice] " + "x" * (LONGEST + 1), []),
        ("", []),
    ],
)
def test_ideas_are_read_from_flagged_lines(text, ideas):
    assert ideas_in(text) == ideas


@given(st.text())
def test_whatever_the_text_is_nothing_is_raised(text):
    for idea in ideas_in(text + "\n[advice] " + text):
        assert idea == " ".join(idea.split())
        assert "\n" not in idea


def test_a_request_says_the_task_the_axis_and_what_was_given_already():
    info = task().model_copy(
        update={"description": "Guess y.", "starter": {"solution.py": "print(1)"}}
    )
    asked = request_for(info, SCAFFOLD, "Model", 7, ("grow a tree",), 3, 1)
    text = asked.messages[-1].content
    for part in ("Guess y.", "print(1)", "Give 7 pieces", AXES["Model"], "- grow a tree"):
        assert part in text
    assert asked.decision.operator == "ideas"
    assert asked.decision.allowed == ()
    assert asked.decision.extra["count"] == 7
    assert asked.decision.extra["axis"] == "Model"
    assert asked.decision.scaffold == SCAFFOLD


def test_each_axis_call_and_task_draws_with_another_seed():
    def seed(axis, index, data):
        info = task().model_copy(update={"data_hash": data})
        return request_for(info, SCAFFOLD, axis, 5, (), 0, index).seed

    seeds = {seed(a, i, d) for a in ("", *AXES) for i in range(3) for d in "xy"}
    assert len(seeds) == 24
    assert seed("Data", 1, "x") == seed("Data", 1, "x")
