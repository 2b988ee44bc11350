"""mlxlab: agents that do machine-learning engineering, with every part swappable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlxlab.api import run

__version__ = "0.1.0"
__all__ = ["__version__", "run"]


def __getattr__(name: str) -> Any:
    if name == "run":
        from mlxlab.api import run

        return run
    raise AttributeError(f"module 'mlxlab' has no attribute {name!r}")
