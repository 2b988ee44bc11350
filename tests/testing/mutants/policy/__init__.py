"""Policies of which each breaks one promise, by the name of the check that finds it out."""

from tests.testing.mutants.policy.base import Policies
from tests.testing.mutants.policy.faults import FAULTS
from tests.testing.mutants.policy.promises import POLICY, SERVED

__all__ = ["FAULTS", "POLICY", "SERVED", "Policies"]
