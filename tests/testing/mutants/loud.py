"""Prints while it is imported."""

from tests.testing.mutants.command import Good as Good

print("hello")
