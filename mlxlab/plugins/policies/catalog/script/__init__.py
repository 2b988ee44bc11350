"""Turns a recipe into a program that a person could have written and handed in."""

from mlxlab.plugins.policies.catalog.script.program import program

__all__ = ["program"]
