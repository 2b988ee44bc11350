"""AIDE's search against an independent model of the published policy."""

from __future__ import annotations

from random import Random

import pytest

from mlxlab.core.records import CLEAN, Decision, Step
from mlxlab.scaffolds.aide import Aide, AideConfig
from tests.scaffolds import aide_trees

AIDE = Aide(AideConfig())


class Model:
    """The published policy over parallel lists; knows nothing of mlxlab."""

    def __init__(self, maximize, drafts=5, prob=0.5, depth=3):
        self.sign, self.drafts, self.prob, self.depth = (1 if maximize else -1), drafts, prob, depth
        self.parents, self.scores = [], []  # a score of None is a bug

    def depth_of(self, n):
        parent = self.parents[n]
        if parent is None or self.scores[parent] is not None:
            return 0
        return 1 + self.depth_of(parent)

    def select(self, rng):
        everything = range(len(self.parents))
        if sum(parent is None for parent in self.parents) < self.drafts:
            return None
        if rng.random() < self.prob:
            able = [
                n
                for n in everything
                if self.scores[n] is None
                and n not in self.parents
                and self.depth_of(n) <= self.depth
            ]
            if able:
                return rng.choice(able)
        good = [n for n in everything if self.scores[n] is not None]
        return max(good, key=lambda n: self.sign * self.scores[n]) if good else None

    def operator(self, parent):
        if parent is None:
            return "draft"
        return "debug" if self.scores[parent] is None else "improve"

    def add(self, parent, score):
        self.parents.append(parent)
        self.scores.append(score)


def outcome(draw: Random, bug_rate: float) -> tuple[str, float | None]:
    """A stub's reply: few distinct scores, so that ties happen; bugs of every kind."""
    if draw.random() < bug_rate:
        return draw.choice(
            ["error", "timeout", "oom", "no_submission", "invalid_action", "ok"]
        ), None
    return "ok", draw.randrange(8) / 8


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
@pytest.mark.parametrize("seed", range(100))
def test_parents_and_operators_equal_the_published_policy(seed, direction):
    model, steps = Model(direction == "maximize"), []
    stub = Random(seed)
    bug_rate = stub.choice([0.1, 0.5, 0.9])
    for n in range(30):
        expected = model.select(Random(f"{seed}:{n}"))
        view = aide_trees.tree(steps, direction=direction)
        decision = AIDE.propose(view, Random(f"{seed}:{n}"))
        assert (decision.parent, decision.operator) == (expected, model.operator(expected))
        assert decision.start == CLEAN and decision.allowed == ("run_code",)
        status, score = outcome(stub, bug_rate)
        model.add(expected, score)
        steps.append(aide_trees.step(decision, status, score))


def roots(*outcomes: tuple[str, float | None]) -> list[Step]:
    steps: list[Step] = []
    for status, score in outcomes:
        steps.append(aide_trees.step(aide_trees.tree(steps).decide("draft"), status, score))
    return steps


def flying(steps, operator, parent=None) -> Decision:
    view = aide_trees.tree(steps)
    return view.decide(operator, view.by_id[parent] if parent is not None else None)


def test_drafts_in_flight_count_as_drafts():
    steps = roots(("ok", 0.5), ("ok", 0.6))
    drafts = [flying(steps, "draft")] * 3
    view = aide_trees.tree(steps, in_flight=drafts)
    assert AIDE.propose(view, Random(0)).operator == "improve"
    assert AIDE.propose(aide_trees.tree(steps, in_flight=drafts[1:]), Random(0)).operator == "draft"


def test_a_leaf_being_debugged_is_not_debugged_twice():
    steps = roots(("error", None), ("ok", 0.2), ("error", None), ("ok", 0.9), ("ok", 0.9))
    always = Aide(AideConfig(debug_prob=1.0))
    view = aide_trees.tree(steps, in_flight=[flying(steps, "debug", 0)])
    assert {always.propose(view, Random(n)).parent for n in range(20)} == {2}
    both = [flying(steps, "debug", 0), flying(steps, "debug", 2)]
    decision = always.propose(aide_trees.tree(steps, in_flight=both), Random(0))
    assert (decision.operator, decision.parent) == ("improve", 3)


def test_debugging_stops_below_the_depth_limit():
    steps = roots(("error", None))
    config = AideConfig(num_drafts=1, debug_prob=1.0, max_debug_depth=2)
    operators = []
    for n in range(5):
        decision = Aide(config).propose(aide_trees.tree(steps), Random(n))
        operators.append((decision.operator, decision.parent))
        steps.append(aide_trees.step(decision, "error"))
    assert operators[:3] == [("debug", 0), ("debug", 1), ("debug", 2)]
    assert operators[3] == ("draft", None)


def test_a_score_that_is_no_number_is_a_bug():
    steps = roots(("ok", float("nan")), ("ok", 0.1), ("ok", float("inf")))
    never = Aide(AideConfig(num_drafts=3, debug_prob=0.0))
    assert never.propose(aide_trees.tree(steps), Random(0)).parent == 1


def test_private_scores_change_no_choice():
    steps = roots(*[("ok", n / 10) for n in range(5)])
    for private in ({}, {0: 0.9}, {4: -3.0}):
        view = aide_trees.tree(steps, private=private)
        assert AIDE.propose(view, Random(3)).parent == 4
