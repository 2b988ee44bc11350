"""AIDE: a tree of whole programs, grown by drafting, debugging and improving."""

from mlxlab.scaffolds.aide.config import AideConfig
from mlxlab.scaffolds.aide.scaffold import Aide

__all__ = ["Aide", "AideConfig"]
