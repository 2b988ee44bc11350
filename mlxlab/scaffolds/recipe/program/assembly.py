"""Puts the parts of a program together."""

from __future__ import annotations

import json

from mlxlab.scaffolds.recipe.notation import written
from mlxlab.scaffolds.recipe.problem import Problem
from mlxlab.scaffolds.recipe.program import reading
from mlxlab.scaffolds.recipe.program.fitting import fitting, imports
from mlxlab.scaffolds.recipe.program.models import estimator
from mlxlab.scaffolds.recipe.program.solving import solving
from mlxlab.scaffolds.recipe.space import Recipe


def program(recipe: Recipe, problem: Problem, rows: int) -> str:
    """The whole source text of a recipe for a task; equal arguments give equal bytes.

    It fits on at most `rows` training rows, drawn the same each time.
    """
    made = estimator(recipe, problem.kind)
    encode = str(recipe.get("encode", "onehot"))
    body = reading.reading(problem, encode), fitting(recipe, made), solving(recipe, problem)
    return _opening(recipe, problem, imports(recipe, made), rows) + "".join(body)


def _opening(recipe: Recipe, problem: Problem, lines: list[str], rows: int) -> str:
    constants = {"ID": problem.id, "TARGETS": problem.targets, "COLUMNS": problem.columns}
    stated = [
        f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in constants.items()
    ]
    return "\n".join(
        [
            f"# {written(recipe)}",
            *reading.imports(problem),
            "",
            "import numpy as np",
            "import pandas as pd",
            *_gathered(lines),
            "",
            'warnings.filterwarnings("ignore")',
            *stated,
            f"ROWS = {rows}",
            "",
            "",
        ]
    )


def _gathered(lines: list[str]) -> list[str]:
    """One line for each module that names are imported from."""
    names: dict[str, set[str]] = {}
    for line in lines:
        module, _, wanted = line.removeprefix("from ").partition(" import ")
        names.setdefault(module, set()).update(wanted.split(", "))
    return [f"from {module} import {', '.join(sorted(names[module]))}" for module in sorted(names)]
