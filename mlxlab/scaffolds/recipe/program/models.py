"""The estimator of a recipe, as source text: what it imports, and the expression that makes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from mlxlab.scaffolds.recipe.space import MODEL, Kind, Recipe


class Made(NamedTuple):
    """An expression that makes an estimator of tables with `width` columns."""

    imports: tuple[str, ...]
    steps: tuple[str, ...]


def estimator(recipe: Recipe, kind: Kind) -> Made:
    """The steps of a recipe's pipeline, the model last."""
    classify = kind == "classification"
    model = _MODELS[str(recipe[MODEL])](recipe, classify)
    before = _before(recipe, classify)
    return Made((*before.imports, *model.imports), (*before.steps, *model.steps))


def _before(recipe: Recipe, classify: bool) -> Made:
    """Scaling, products and the choice of columns."""
    imports: list[str] = []
    steps: list[str] = []
    scale, test = recipe.get("scale"), "f_classif" if classify else "f_regression"
    choosing = "from sklearn.feature_selection import"
    if scale in ("standard", "poly"):
        imports.append("from sklearn.preprocessing import StandardScaler")
        steps.append("StandardScaler()")
    if scale == "quantile":
        imports.append("from sklearn.preprocessing import QuantileTransformer")
        steps.append('QuantileTransformer(n_quantiles=100, output_distribution="normal")')
    if scale == "poly":
        imports += [
            f"{choosing} SelectKBest, {test}",
            "from sklearn.pipeline import make_pipeline, make_union",
            "from sklearn.preprocessing import PolynomialFeatures",
        ]
        best = f"SelectKBest({test}, k=min(12, width))"
        products = "PolynomialFeatures(2, include_bias=False)"
        joined = f'make_union("passthrough", make_pipeline({best}, {products}))'
        steps += [joined, "StandardScaler()"]
    if recipe.get("columns") == "half":
        imports.append(f"{choosing} SelectPercentile, {test}")
        steps.append(f"SelectPercentile({test}, percentile=50)")
    return Made(tuple(imports), tuple(steps))


def _made(module: str, name: str, *arguments: str) -> Made:
    call = f"{name}({', '.join(argument for argument in arguments if argument)})"
    return Made((f"from sklearn.{module} import {name}",), (call,))


def _ending(classify: bool) -> str:
    return "Classifier" if classify else "Regressor"


def _balance(recipe: Recipe) -> str:
    return 'class_weight="balanced"' if recipe.get("weights") == "balanced" else ""


def _linear(recipe: Recipe, classify: bool) -> Made:
    strength = float(recipe["strength"])
    if not classify:
        return _made("linear_model", "Ridge", f"alpha={10 / strength:g}")
    solver = f"C={strength / 10:g}"
    return _made("linear_model", "LogisticRegression", solver, "max_iter=100", _balance(recipe))


def _lasso(recipe: Recipe, classify: bool) -> Made:
    return _made("linear_model", "Lasso", f"alpha={recipe['penalty']}", "max_iter=300")


def _tree(recipe: Recipe, classify: bool) -> Made:
    settings = f"max_depth={recipe['depth']}", "min_samples_leaf=3", "random_state=0"
    return _made("tree", f"DecisionTree{_ending(classify)}", *settings, _balance(recipe))


def _grown(recipe: Recipe, classify: bool) -> Made:
    name = "RandomForest" if recipe[MODEL] == "forest" else "ExtraTrees"
    settings = [f"n_estimators={recipe['trees']}", f"max_depth={recipe['depth']}"]
    settings += [] if classify else ["max_features=0.5"]
    settings += ["min_samples_leaf=2", "n_jobs=1", "random_state=0", _balance(recipe)]
    return _made("ensemble", f"{name}{_ending(classify)}", *settings)


def _boost(recipe: Recipe, classify: bool) -> Made:
    settings = [f"learning_rate={recipe['rate']}", f"max_iter={recipe['rounds']}"]
    settings += ["max_leaf_nodes=15", "early_stopping=False", "random_state=0"]
    return _made("ensemble", f"HistGradientBoosting{_ending(classify)}", *settings)


def _knn(recipe: Recipe, classify: bool) -> Made:
    return _made(
        "neighbors", f"KNeighbors{_ending(classify)}", f"n_neighbors={recipe['k']}", "n_jobs=1"
    )


def _svm(recipe: Recipe, classify: bool) -> Made:
    name = "SVC" if classify else "SVR"
    return _made("svm", name, f"C={recipe['strength']}", "cache_size=500", "max_iter=20000")


def _mlp(recipe: Recipe, classify: bool) -> Made:
    settings = [f"hidden_layer_sizes={recipe['units']}", f"alpha={recipe['decay']}"]
    settings += ["learning_rate_init=0.01", "max_iter=30", "random_state=0"]
    return _made("neural_network", f"MLP{_ending(classify)}", *settings)


def _bayes(recipe: Recipe, classify: bool) -> Made:
    smooth = float(recipe["smooth"]) or 1e-9
    return _made("naive_bayes", "GaussianNB", f"var_smoothing={smooth:g}")


def _constant(recipe: Recipe, classify: bool) -> Made:
    strategy = "prior" if classify else recipe["value"]
    return _made("dummy", f"Dummy{_ending(classify)}", f'strategy="{strategy}"')


_MODELS: dict[str, Callable[[Recipe, bool], Made]] = {
    "linear": _linear,
    "lasso": _lasso,
    "tree": _tree,
    "forest": _grown,
    "extra": _grown,
    "boost": _boost,
    "knn": _knn,
    "svm": _svm,
    "mlp": _mlp,
    "bayes": _bayes,
    "constant": _constant,
    "search": lambda recipe, classify: _made("tree", f"DecisionTree{_ending(classify)}"),
    "kernel": lambda recipe, classify: _made("neighbors", f"KNeighbors{_ending(classify)}"),
}
