"""Exploration: many ideas for a task, the most diverse of them, expert runs that try them."""

from __future__ import annotations

from mlxlab.api.exploring.asking import AXES
from mlxlab.api.exploring.collecting import collect
from mlxlab.api.exploring.exploring import explore
from mlxlab.api.exploring.result import Explored, Idea, TaskIdeas

__all__ = ["AXES", "Explored", "Idea", "TaskIdeas", "collect", "explore"]
