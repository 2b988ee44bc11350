"""The functions of a program that fit its models and predict with them."""

from __future__ import annotations

from mlxlab.plugins.policies.catalog.problem import Problem
from mlxlab.plugins.policies.catalog.recipe import Recipe
from mlxlab.plugins.policies.catalog.script.parts import Builder
from mlxlab.plugins.policies.catalog.script.text import dedent, fill

_THIN = dedent('''
    def thin(X, y, most):
        """A random choice of the rows, where fitting all of them would take too long."""
        rows = np.random.default_rng(SEED).permutation(len(y))[:most]
        return X<at>[rows], y[rows]
''')

_CHANCES = dedent('''
    def chances(model, X, count):
        """One column per class, also for classes that the fitted rows lacked."""
        table = np.zeros((len(X), count))
        table[:, model.classes_] = model.predict_proba(X)
        return table
''')

_MARGINS = dedent('''
    def margins(model, X, count):
        """Distances from the borders between the classes, squeezed to sum to 1."""
        distance = model.decision_function(X)
        if distance.ndim == 1:
            distance = np.stack([-distance, distance], axis=1)
        odds = np.exp(distance - distance.max(axis=1, keepdims=True))
        table = np.zeros((len(X), count))
        table[:, model.classes_] = odds / odds.sum(axis=1, keepdims=True)
        return table
''')

_SQUASH = dedent('''
    def squash(y):
        """Logarithm of the size, keeping the sign."""
        return np.sign(y) * np.log1p(np.abs(y))


    def unsquash(z):
        """Back from squash."""
        return np.sign(z) * np.expm1(np.minimum(np.abs(z), 50))
''')

_FIT = dedent('''
    def fit(X, y):
        """Fit <what>."""
    <before>
        return <fitted>
''')

_PREDICT = dedent('''
    def predict(<models>, X, count):
        """<says>"""
        return <answer>
''')


def _answer(builder: Builder, model: str, labels: bool, problem: Problem) -> str:
    if problem.kind == "regression":
        return f"{model}.predict(X).ravel()"
    if labels:
        return f"{model}.predict(X)"
    return f"{'margins' if builder.margins else 'chances'}({model}, X, count)"


def _fitted(builder: Builder, at: str) -> str:
    if builder.cap:
        return f"{builder.name}().fit(*thin(X, y, {builder.cap}))"
    return f"{builder.name}().fit(X, y)"


def _fit(recipe: Recipe, made: list[Builder], at: str) -> str:
    before = ["    y = squash(y)"] if recipe.log_target else []
    before += ["    X, y = with_shifted(X, y)"] if recipe.shift else []
    calls = [_fitted(builder, at) for builder in made]
    return fill(
        _FIT,
        what="the model" if len(made) == 1 else "every model of the ensemble",
        before="\n".join(before),
        fitted=calls[0]
        if len(made) == 1
        else "[\n        " + ",\n        ".join(calls) + ",\n    ]",
    ).replace("\n\n", "\n")


def _predict(recipe: Recipe, made: list[Builder], problem: Problem) -> str:
    if len(made) == 1:
        labels = problem.output == "labels"
        answer = _answer(made[0], "model", labels, problem)
        says = "The number of each class." if labels else "One chance per class."
        models = "model"
    else:
        votes = [
            _answer(builder, f"models[{place}]", False, problem)
            for place, builder in enumerate(made)
        ]
        weights = [builder.weight for builder in made]
        answer = "np.average(\n        [\n            " + ",\n            ".join(votes)
        answer += f",\n        ],\n        axis=0,\n        weights={weights},\n    )"
        says, models = "The models' mean chance per class.", "models"
    if problem.kind == "regression":
        says = "The models' mean." if len(made) > 1 else "The target in its own unit."
    answer = f"unsquash({answer})" if recipe.log_target else answer
    answer = f"np.maximum({answer}, 0)" if problem.metric == "rmsle" else answer
    return fill(_PREDICT, models=models, says=says, answer=answer)


def functions(recipe: Recipe, made: list[Builder], problem: Problem) -> list[str]:
    """`fit(X, y)` and `predict(model, X, count)` with the helpers that they need."""
    at = "" if problem.image else ".iloc"
    pieces = [fill(_THIN, at=at)] if any(builder.cap for builder in made) else []
    if problem.kind == "classification" and (problem.output == "chances" or len(made) > 1):
        pieces += [_CHANCES] if not all(builder.margins for builder in made) else []
        pieces += [_MARGINS] if any(builder.margins for builder in made) else []
    pieces += [_SQUASH] if recipe.log_target else []
    return [*pieces, _fit(recipe, made, at), _predict(recipe, made, problem)]
