"""For people who write scaffolds: the suite that every scaffold can be put to."""

from mlxlab.testing.scaffolds.conformance import ScaffoldConformance

__all__ = ["ScaffoldConformance"]
