"""What a scaffold says of itself before a run begins."""

from __future__ import annotations

from math import isfinite

from mlxlab.core.scaffold import Paced
from mlxlab.testing.scaffolds.conformance.harness import Harness, session


class Declaring(Harness):
    """The host reads these before it asks anything."""

    def test_needs_score_is_stated(self) -> None:
        """`needs_score` is true or false, on the class as on an instance."""
        scaffold = self.make()
        for whose in (scaffold, type(scaffold)):
            stated: object = getattr(whose, "needs_score", None)
            assert isinstance(stated, bool), f"needs_score is {stated!r}"

    def test_max_asks_is_stated(self) -> None:
        """`max_asks` is a whole number from 0 on, and does not move during a run."""
        scaffold = self.make()
        stated: object = scaffold.max_asks
        assert type(stated) is int and stated >= 0, f"max_asks is {stated!r}"
        session(scaffold, self.moments())
        assert scaffold.max_asks == stated, f"max_asks was {stated}, and is {scaffold.max_asks}"

    def test_pace_is_a_budget(self) -> None:
        """Who states a pace states steps from 1 on and seconds above 0; others pass."""
        scaffold = self.make()
        if not isinstance(scaffold, Paced):
            return
        steps, time_s = scaffold.pace.steps, scaffold.pace.time_s
        assert steps is None or steps >= 1, f"its pace is {steps} steps"
        fits = time_s is None or (isfinite(time_s) and time_s > 0)
        assert fits, f"its pace is {time_s} seconds"
