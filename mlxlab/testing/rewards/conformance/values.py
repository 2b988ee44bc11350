"""What a reward returns: a number in its range or None, with a reason, as a record can hold it."""

from __future__ import annotations

from math import isfinite

from mlxlab.core.given import lacked
from mlxlab.core.records import RewardValue
from mlxlab.testing.rewards.conformance.harness import Harness, told
from mlxlab.testing.rewards.steps import Case, ordinary


class Values(Harness):
    """Every judgement can be recorded, read back and learned from."""

    def test_returns_a_reward_value(self) -> None:
        """`judge` returns a RewardValue at once: no bare number, nothing to wait for."""
        cases = self.cases()
        for case, said in zip(cases, self.judged(self.make(), cases), strict=True):
            kind = type(said).__name__
            assert isinstance(said, RewardValue), f"judge returned {kind} for {told(case)}"

    def test_values_are_finite(self) -> None:
        """A value is a finite number, or None."""
        for case, said in self._said():
            fine = said.value is None or isfinite(said.value)
            assert fine, f"the value of {told(case)} is {said.value}"

    def test_values_lie_in_the_range(self) -> None:
        """No value of an honest or an odd step lies outside `range`."""
        low, high = self.make().range
        for case, said in self._said():
            inside = said.value is None or not isfinite(said.value) or low <= said.value <= high
            assert inside, f"{said.value} of {told(case)} lies outside [{low}, {high}]"

    def test_gives_a_reason(self) -> None:
        """Each judgement says in words why, and above all where there is no value."""
        for case, said in self._said():
            assert said.reason.strip(), f"no reason is given for {said.value} of {told(case)}"

    def test_has_something_to_say(self) -> None:
        """Some honest step of a task that lacks nothing gets a value."""
        reward, cases = self.make(), ordinary()
        lacking = lacked("reward", reward)
        assert not lacking, lacking
        said = self.judged(reward, cases)
        for case, each in zip(cases, said, strict=True):
            fits = isinstance(each, RewardValue)
            assert fits, f"judge returned {type(each).__name__} for {told(case)}"
        assert any(each.value is not None for each in said), "no honest step gets a value"

    def test_is_read_back(self) -> None:
        """A judgement written as JSON reads back the same: its parts are finite numbers."""
        for case, said in self._said():
            odd = {name: part for name, part in said.parts.items() if not isfinite(part)}
            assert not odd, f"parts of {told(case)} are no finite numbers: {odd}"
            again = RewardValue.model_validate_json(said.model_dump_json())
            same = again == said or not isfinite(said.value or 0.0)
            assert same, f"{said!r} of {told(case)} reads back as {again!r}"

    def _said(self) -> list[tuple[Case, RewardValue]]:
        cases = self.cases()
        said = self.judged(self.make(), cases)
        kept = [(case, each) for case, each in zip(cases, said, strict=True)]
        return [pair for pair in kept if isinstance(pair[1], RewardValue)]
