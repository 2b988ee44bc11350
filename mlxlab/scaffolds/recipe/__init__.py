"""Short JSON recipes that are compiled to whole programs, for very small models and searches."""

from mlxlab.scaffolds.recipe.config import RecipeConfig
from mlxlab.scaffolds.recipe.scaffold import RecipeScaffold

__all__ = ["RecipeConfig", "RecipeScaffold"]
