"""What a training will take: memory, tokens, hours and money, before anything is loaded."""

from mlxlab.plugins.training.estimates.lines import estimates
from mlxlab.plugins.training.estimates.workload import Workload, workload

__all__ = ["Workload", "estimates", "workload"]
