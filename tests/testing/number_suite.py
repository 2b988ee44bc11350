"""A suite for things that are numbers, in a module whose assertions pytest leaves as they are."""

from typing import ClassVar

from mlxlab.testing.kit import Conformance


class Numbers(Conformance):
    """A suite of its own, for things that are numbers."""

    prefix = "number"
    value: ClassVar[int] = 4
    said: ClassVar[list[str]] = []

    @classmethod
    def setup_class(cls) -> None:
        cls.said.append("class")

    @classmethod
    def teardown_class(cls) -> None:
        cls.said.append("end of class")

    def setup_method(self) -> None:
        self.said.append("method")

    def teardown_method(self) -> None:
        self.said.append("end of method")

    def test_positive(self) -> None:
        """It is above zero.

        Nobody prints this.
        """
        assert self.value > 0, f"{self.value} is not positive"

    def test_even(self) -> None:
        """It has two halves."""
        assert self.value % 2 == 0
