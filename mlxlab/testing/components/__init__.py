"""What every component owes, whatever its kind."""

from mlxlab.testing.components.apart import Loading, load_apart
from mlxlab.testing.components.conformance import ComponentConformance
from mlxlab.testing.components.signatures import differences

__all__ = ["ComponentConformance", "Loading", "differences", "load_apart"]
