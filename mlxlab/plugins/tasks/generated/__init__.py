"""Any number of small tables, FAMILY/SEED: linear, sparse, products, smooth, rings, steps, ..."""

from mlxlab.plugins.tasks.generated.task import Generated

__all__ = ["Generated"]
