"""Imports what takes long."""

import numpy  # noqa: F401 - that it is imported is the point

from tests.testing.mutants.component import Good as Good
