"""Models to train: made from nothing, or loaded; saved by `mlxlab.plugins.training.final`."""

from mlxlab.plugins.training.models.base import Lora, load_base
from mlxlab.plugins.training.models.loaded import Loaded
from mlxlab.plugins.training.models.options import Weights, load
from mlxlab.plugins.training.models.tiny import TinyConfig

__all__ = ["Loaded", "Lora", "TinyConfig", "Weights", "load", "load_base"]
