"""The function of a program that stacks its models under a linear one."""

from __future__ import annotations

from mlxlab.plugins.policies.catalog.problem import Problem
from mlxlab.plugins.policies.catalog.script.parts import Builder


def stacked(made: list[Builder], problem: Problem) -> Builder:
    """One builder of a stack: a linear model over the parts' held-out predictions."""
    if problem.kind == "regression":
        name, final, line = "StackingRegressor", "RidgeCV()", "RidgeCV"
    else:
        name, final, line = "StackingClassifier", "LogisticRegression()", "LogisticRegression"
    models = "\n".join(f'        ("{builder.name}", {builder.name}()),' for builder in made)
    code = (
        "def stack():\n"
        '    """A linear model over what the other models say of rows they did not see."""\n'
        f"    models = [\n{models}\n    ]\n"
        f"    return {name}(models, final_estimator={final}, cv=3)"
    )
    caps = [builder.cap for builder in made if builder.cap]
    return Builder(
        name="stack",
        code="\n\n\n".join([*(builder.code for builder in made), code]),
        imports=(
            *(line for builder in made for line in builder.imports),
            f"from sklearn.ensemble import {name}",
            f"from sklearn.linear_model import {line}",
        ),
        margins=False,
        cap=min(caps, default=0),
        weight=1,
    )
