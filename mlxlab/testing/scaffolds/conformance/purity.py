"""A scaffold is pure: what it says depends on its arguments and on nothing else."""

from __future__ import annotations

from typing import Any

from mlxlab.core.records import Decision
from mlxlab.testing.fresh import CannotBeSent, called_afresh
from mlxlab.testing.kit.differing import difference
from mlxlab.testing.scaffolds.calling import called
from mlxlab.testing.scaffolds.conformance.harness import Harness, session
from mlxlab.testing.scaffolds.moments import draws
from mlxlab.testing.surroundings import elsewhere, unseeing, untouched


class Purity(Harness):
    """So that a recorded run can be resumed, replayed and learned from, years later, elsewhere."""

    def test_says_the_same_again(self) -> None:
        """The same tree and the same draws give the same choice, prompt and reading again."""
        scaffold, moments = self.make(), self.moments()
        _equal(session(scaffold, moments), session(scaffold, moments))

    def test_remembers_nothing(self) -> None:
        """An instance that has seen a run says what a new one says: a resumed run has a new one."""
        moments = self.moments()
        new = session(self.make(), moments)
        used = self.make()
        session(used, dict(reversed(moments.items())))
        first = next(iter(moments))
        before = {name: repr(value) for name, value in vars(used).items()}
        session(used, {first: moments[first]})  # what is counted by turns is another one now
        again = session(used, moments)
        after = {name: repr(value) for name, value in vars(used).items()}
        kept = ", ".join(f"self.{name}" for name in after if before.get(name) != after[name])
        _equal(new, again, f"; its calls change {kept}" if kept else "")

    def test_draws_from_what_it_is_given(self) -> None:
        """Global random numbers, folder, variables, date and time make no difference."""
        scaffold, moments = self.make(), self.moments()
        here = session(scaffold, moments)
        with elsewhere(scaffold):
            there = session(scaffold, moments)
        _equal(here, there)

    def test_says_the_same_in_a_fresh_process(self) -> None:
        """Hashes of strings, and so the order of a set, make no difference; unpicklable ones pass.

        A run is resumed by another process, whose hashes are others.
        """
        moments = self.moments()
        try:
            there = called_afresh(session, self.make(), moments)
        except CannotBeSent:
            return
        _equal(session(self.make(), moments), there)

    def test_looks_at_nothing_else(self) -> None:
        """No file is opened, no folder listed, nothing connected to, no process started."""
        scaffold, moments = self.make(), self.moments()
        session(scaffold, moments)
        with unseeing(scaffold):
            session(scaffold, moments)

    def test_changes_nothing_around_it(self) -> None:
        """Variables, folder, global random numbers, streams and threads stay as they were."""
        scaffold, moments = self.make(), self.moments()
        session(scaffold, moments)  # what a first use imports is not what is looked at
        with untouched():
            session(scaffold, moments)

    def test_leaves_its_arguments_alone(self) -> None:
        """The tree, its task and its decisions are what they were, down to their dictionaries."""
        scaffold = self.make()
        for name, tree in self.moments().items():
            before = _whole(tree.nodes, tree.in_flight, tree.task, tree.context, tree.remaining)
            choice = called(scaffold.propose, tree, draws(tree), at=name)
            if isinstance(choice, Decision):
                decided = repr(choice)
                called(scaffold.prompt, choice, tree, at=name)
                assert repr(choice) == decided, f"prompt changed its decision at '{name}'"
            after = _whole(tree.nodes, tree.in_flight, tree.task, tree.context, tree.remaining)
            assert before == after, f"the tree was changed at the moment '{name}'"


def _equal(
    first: dict[str, dict[str, Any]], second: dict[str, dict[str, Any]], why: str = ""
) -> None:
    for name, one in first.items():
        other = second[name]
        assert one == other, f"it says other things at '{name}': {difference(one, other)}{why}"


def _whole(nodes: tuple[object, ...], *others: object) -> str:
    return repr([[vars(node) for node in nodes], *others])
