"""A reward is a function of a step and its task: nothing else goes in, nothing else comes out."""

from __future__ import annotations

from mlxlab.testing.fresh import CannotBeSent, called_afresh
from mlxlab.testing.rewards.conformance.harness import Harness, said, told
from mlxlab.testing.rewards.steps import Case, ordinary, wide
from mlxlab.testing.surroundings import elsewhere, unseeing, untouched


class Purity(Harness):
    """The same step is worth the same: on any day, in any process, after any other step."""

    def test_says_the_same_again(self) -> None:
        """The same step, judged twice by one instance, gets the same value, reason and parts."""
        reward, cases = self.make(), self.cases()
        for case in cases:
            once, twice = self.judged(reward, [case, case])
            assert repr(once) == repr(twice), f"{once!r}, then {twice!r} for {told(case)}"

    def test_remembers_nothing(self) -> None:
        """Steps that were judged before, in whatever order, change nothing."""
        cases = ordinary()
        forwards, backwards = self.make(), self.make()
        first = self.judged(forwards, cases)
        second = self.judged(backwards, reversed(cases))[::-1]
        for case, one, other in zip(cases, first, second, strict=True):
            assert repr(one) == repr(other), f"{one!r} or {other!r} for {told(case)}, by the order"

    def test_is_the_same_elsewhere(self) -> None:
        """Folder, variables, date and time, and random numbers make no difference."""
        reward, cases = self.make(), ordinary()
        here = self.judged(reward, cases)
        with elsewhere(reward):
            there = self.judged(reward, cases)
        for case, one, other in zip(cases, here, there, strict=True):
            assert repr(one) == repr(other), f"{one!r} here, {other!r} elsewhere for {told(case)}"

    def test_is_the_same_in_a_fresh_process(self) -> None:
        """Hashes of strings, and so the order of a set, make no difference; unpicklable ones pass.

        A run that is judged anew is judged by another process, whose hashes are others.
        """
        cases = ordinary()
        try:
            there = called_afresh(said, self.make(), cases)
        except CannotBeSent:
            return
        for case, one, other in zip(cases, said(self.make(), cases), there, strict=True):
            assert one == other, f"{one} here, {other} in a fresh process for {told(case)}"

    def test_looks_at_nothing_else(self) -> None:
        """No file is opened, no folder listed, nothing connected to, no process started."""
        reward, cases = self.make(), ordinary()
        self.judged(reward, cases)
        with unseeing(reward):
            self.judged(reward, cases)

    def test_changes_nothing_around_it(self) -> None:
        """Variables, folder, global random numbers, streams and threads stay as they were."""
        reward, cases = self.make(), ordinary()
        self.judged(reward, cases)  # what a first use imports is not what is looked at
        with untouched():
            self.judged(reward, cases)

    def test_leaves_its_arguments_alone(self) -> None:
        """Step and task are what they were, down to what lies in their dictionaries."""
        reward = self.make()
        for step, task in (*ordinary()[::3], *wide(100)):
            case = Case(step.model_copy(deep=True), task.model_copy(deep=True))
            before = repr(case)
            self.judged(reward, [case])
            assert repr(case) == before, f"judge changed its arguments: {told(case)}"
