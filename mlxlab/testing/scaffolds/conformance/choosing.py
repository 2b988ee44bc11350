"""Which node to grow: `propose` at every moment of a run."""

from __future__ import annotations

from mlxlab.core.actions import TYPES
from mlxlab.core.given import lacked
from mlxlab.core.records import CLEAN, Decision
from mlxlab.core.scaffold import Stop, Wait
from mlxlab.testing.scaffolds.calling import called
from mlxlab.testing.scaffolds.conformance.harness import Harness
from mlxlab.testing.scaffolds.moments import ENDINGS, draws, grown, states

_KEPT = ("task", "data_hash", "scaffold", "sandbox", "feedback", "seed", "limits")


class Choosing(Harness):
    """A choice can be carried out, recorded, and taken up again by a resumed run."""

    def test_proposes_at_every_moment(self) -> None:
        """Whatever is recorded or in flight, `propose` returns a Decision, a Wait or a Stop."""
        scaffold = self.make()
        for name, tree in self.moments().items():
            choice: object = called(scaffold.propose, tree, draws(tree), at=name)
            kind = type(choice).__name__
            fits = isinstance(choice, Decision | Wait | Stop)
            assert fits, f"propose returns {kind} at the moment '{name}'"

    def test_begins_with_a_decision(self) -> None:
        """Where nothing is recorded yet it decides something, on a task that fits it."""
        scaffold = self.make()
        lacking = lacked("scaffold", scaffold)
        assert not lacking, lacking
        self.first(scaffold)

    def test_never_waits_for_nothing(self) -> None:
        """It waits only while a step is in flight, else the run would wait for ever."""
        scaffold = self.make()
        for name, tree in self.moments().items():
            choice = called(scaffold.propose, tree, draws(tree), at=name)
            idle = isinstance(choice, Wait) and not tree.in_flight
            assert not idle, f"it waits at the moment '{name}', where nothing is in flight"

    def test_goes_on_after_failures(self) -> None:
        """Where every step has failed it tries something else, or says why it stops."""
        scaffold = self.make()
        tree = grown(self.make(), ENDINGS["failures alone"], self.task().info, more=self.actions)
        choice = called(scaffold.propose, tree, draws(tree), at="failures alone")
        assert isinstance(choice, Decision | Stop), f"after failures it proposes {choice!r}"

    def test_stops_with_a_reason(self) -> None:
        """A Stop says in words why there is nothing more to do."""
        scaffold = self.make()
        for name, tree in self.moments().items():
            choice = called(scaffold.propose, tree, draws(tree), at=name)
            told = not isinstance(choice, Stop) or choice.reason.strip()
            assert told, f"it stops without a reason at the moment '{name}'"

    def test_decides_within_the_context(self) -> None:
        """Step, task, seed, limits and all that a run has in common are the tree's own."""
        for name, decision, tree in self.decided():
            plain = tree.decide(decision.operator)
            for key in ("step", "seen", "pending", *_KEPT):
                mine, own = getattr(decision, key), getattr(plain, key)
                assert mine == own, f"{key} is {mine!r}, not {own!r}, at the moment '{name}'"
            assert decision.operator.strip(), f"the operator has no name at the moment '{name}'"

    def test_grows_what_is_recorded(self) -> None:
        """The parent is a recorded step or none, and the start a state that was kept."""
        for name, decision, tree in self.decided():
            parents = {None, *tree.by_id}
            assert decision.parent in parents, f"parent {decision.parent} is unknown at '{name}'"
            assert decision.start in states(tree), (
                f"start {decision.start!r} is unknown at '{name}'"
            )
            if decision.parent is None:
                assert decision.start == CLEAN, f"a root starts in {decision.start!r} at '{name}'"

    def test_allows_actions_that_there_are(self) -> None:
        """`allowed` names one type of action at least, and none that nobody can carry out."""
        for name, decision, _ in self.decided():
            assert decision.allowed, f"nothing is allowed at the moment '{name}'"
            unknown = sorted(set(decision.allowed) - {*TYPES})
            assert not unknown, f"there is no action {', '.join(unknown)} (at '{name}')"

    def test_decisions_are_read_back(self) -> None:
        """A decision written as JSON, `extra` included, reads back the same."""
        for name, decision, _ in self.decided():
            again = Decision.model_validate_json(called(decision.model_dump_json, at=name))
            assert again == decision, f"{decision.extra} reads back as {again.extra} (at '{name}')"

    def test_says_whether_it_needs_scores(self) -> None:
        """With `needs_score` false it goes on where no score is fed back; with true it passes."""
        scaffold = self.make()
        if scaffold.needs_score:
            return
        for name, endings in ENDINGS.items():
            tree = grown(self.make(), endings, self.task().info, feedback="none", more=self.actions)
            choice = called(scaffold.propose, tree, draws(tree), at=f"{name}, no score fed back")
            went_on = isinstance(choice, Decision) and len(tree.nodes) == len(endings)
            assert went_on, f"without feedback it proposes {choice!r} at the moment '{name}'"
