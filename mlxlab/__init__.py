"""mlxlab: agents that do machine-learning engineering, with every part swappable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlxlab.api import Comparison, MlxError, Run, arun, compare, load, resume, run
    from mlxlab.api.bench import Bench, bench
    from mlxlab.api.training import Training, train

__version__ = "0.1.0"
__all__ = [
    "Bench",
    "Comparison",
    "MlxError",
    "Run",
    "Training",
    "__version__",
    "arun",
    "bench",
    "compare",
    "load",
    "resume",
    "run",
    "train",
]


def __getattr__(name: str) -> Any:
    if name in {"Bench", "bench"}:
        from mlxlab.api import bench

        return getattr(bench, name)
    if name in {"Training", "train"}:
        from mlxlab.api import training

        return getattr(training, name)
    if name in __all__:  # late, for `mlx --help` imports this package and is to be quick
        import mlxlab.api

        return getattr(mlxlab.api, name)
    raise AttributeError(f"module 'mlxlab' has no attribute {name!r}")
