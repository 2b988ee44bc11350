"""The embedded default policy: classical models, no language model, the same every time."""

from mlxlab.plugins.policies.catalog.policy import Catalog

__all__ = ["Catalog"]
