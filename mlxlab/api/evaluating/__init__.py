"""Policies measured on fixed states and in closed loops, with the lines they have to beat."""

from __future__ import annotations

from mlxlab.api.evaluating.evaluation import FILE, evaluate
from mlxlab.api.evaluating.field import Part
from mlxlab.api.evaluating.options import Measuring
from mlxlab.api.evaluating.record import HELD_IN, HELD_OUT, Evaluation, Subject

__all__ = ["FILE", "HELD_IN", "HELD_OUT", "Evaluation", "Measuring", "Part", "Subject", "evaluate"]
