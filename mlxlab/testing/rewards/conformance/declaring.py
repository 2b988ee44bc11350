"""What a reward says of itself: the range of its values, and what it is made of."""

from __future__ import annotations

from math import isnan
from typing import get_args

from mlxlab.core.reward import Need
from mlxlab.testing.rewards.conformance.harness import Harness, told
from mlxlab.testing.rewards.steps import ordinary


class Declaring(Harness):
    """`range` and `needs` are there before anything is judged, and do not move."""

    def test_range_is_stated(self) -> None:
        """`range` is a pair of numbers, the lower one first; infinities say that it is open."""
        stated: object = self.make().range
        assert isinstance(stated, tuple) and len(stated) == 2, f"range is {stated!r}, no pair"
        for end in stated:
            assert isinstance(end, int | float) and not isnan(end), f"range holds {end!r}"
        assert stated[0] <= stated[1], f"range {stated} begins above its end"

    def test_needs_are_stated(self) -> None:
        """`needs` is a frozenset of what the host knows how to give."""
        stated: object = self.make().needs
        assert isinstance(stated, frozenset), f"needs is {stated!r}, no frozenset"
        assert stated <= set(get_args(Need)), (
            f"nobody can give {sorted(stated - {*get_args(Need)})}; there are {get_args(Need)}"
        )

    def test_says_the_same_of_itself(self) -> None:
        """Two instances state the same range and needs, before they judge and afterwards."""
        reward, again = self.make(), self.make()
        before = reward.range, reward.needs
        self.judged(reward, self.cases())
        after = reward.range, reward.needs
        assert before == after, f"it stated {before}, and {after} after judging"
        other = again.range, again.needs
        assert before == other, f"one instance states {before}, the other {other}"

    def test_asks_for_the_boards_it_looks_at(self) -> None:
        """Where what others reached changes a value, "boards" stands in `needs`."""
        reward = self.make()
        if "boards" in reward.needs:
            return
        for case in ordinary():
            bare = case._replace(task=case.task.model_copy(update={"boards": ()}))
            with_them, without = self.judged(reward, [case, bare])
            # NaN, which equals nothing, is what another check tells
            assert repr(with_them) == repr(without), f"boards make a difference to {told(case)}"
