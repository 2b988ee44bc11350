"""The part of a program that makes and fits the model of a recipe."""

from __future__ import annotations

from textwrap import dedent

from mlxlab.scaffolds.recipe.program.models import Made
from mlxlab.scaffolds.recipe.space import MODEL, Recipe

_FITTED = dedent('''\


    def fitted(X, y):
        """The model, fitted."""
    <width>
        return <model>.fit(X, y)
''')

_SEARCH = dedent('''\


    def fitted(X, y):
        """The best of very many trees, each judged by threefold cross-validation."""
        draw = np.random.default_rng(0)
        best, best_score = None, -np.inf
        for _ in range(<trials>):
            depth, leaf = (int(number) for number in draw.integers(1, 30, 2))
            model = <model>.set_params(max_depth=depth, min_samples_leaf=leaf, random_state=0)
            score = cross_val_score(model, X, y, cv=3).mean()
            if score > best_score:
                best, best_score = model, score
        return best.fit(X, y)
''')

_KERNEL = dedent('''\


    def fitted(X, y):
        """Neighbours among points that stand for all rows, close to each other by their kernel."""
        count = <points>
        closeness = np.empty((count, count))
        rows = np.random.default_rng(0).integers(0, len(X), count)
        points = (X[rows] - X.mean(axis=0)) / (X.std(axis=0) + 1e-9)
        for first in range(0, count, 1000):
            block = points[first : first + 1000] @ points.T / points.shape[1]
            closeness[first : first + 1000] = np.exp(block)
        order = np.argsort(closeness.sum(axis=1))
        return <model>.fit(X[rows][order], y[rows][order])
''')


def fitting(recipe: Recipe, made: Made) -> str:
    """`fitted(X, y)`."""
    name, model = recipe[MODEL], _pipeline(made.steps)
    if name == "search":
        code = _SEARCH.replace("<trials>", f"{recipe['trials']:_}")
    elif name == "kernel":
        code = _KERNEL.replace("<points>", f"{recipe['points']:_}")
    else:
        width = "    width = X.shape[1]\n" if "width" in model else ""
        code = _FITTED.replace("<width>\n", width)
    return code.replace("<model>", model)


def imports(recipe: Recipe, made: Made) -> list[str]:
    """What `fitted` imports."""
    lines = list(made.imports)
    if len(made.steps) > 1:
        lines.append("from sklearn.pipeline import make_pipeline")
    if recipe[MODEL] == "search":
        lines.append("from sklearn.model_selection import cross_val_score")
    return lines


def _pipeline(steps: tuple[str, ...]) -> str:
    if len(steps) == 1:
        return steps[0]
    lines = "".join(f"        {step},\n" for step in steps)
    return f"make_pipeline(\n{lines}    )"
