"""Compiles a recipe to a whole program that needs numpy, pandas and scikit-learn only."""

from mlxlab.scaffolds.recipe.program.assembly import program

__all__ = ["program"]
