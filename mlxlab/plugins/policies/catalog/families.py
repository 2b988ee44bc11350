"""The model families: what scikit-learn calls them, and the settings worth trying.

A ladder holds the values of one setting in order; the second field is its plain default, which
a recipe does not mention. Costs are rough seconds for one fit on 6000 rows of 25 columns.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Value = bool | int | float | str | None


@dataclass(frozen=True)
class Ladder:
    """The ordered values of one setting, and the one that a first draft takes."""

    values: tuple[Value, ...]
    default: Value


@dataclass(frozen=True)
class Estimator:
    """A constructor call with places for the settings, and the imports that it takes.

    `answers` says what `predict` can be replaced by: chances, margins, or nothing but labels.
    """

    call: str
    imports: tuple[str, ...]
    ladders: Mapping[str, Ladder] = field(default_factory=dict)
    answers: Literal["chances", "margins"] = "chances"

    def render(self, params: Mapping[str, Value]) -> str:
        """The call with every place filled."""
        values = {name: ladder.default for name, ladder in self.ladders.items()}
        values |= {name: value for name, value in params.items() if name in values}
        texts = {name: _literal(value) for name, value in values.items()}
        return self.call.format(**texts)


def _literal(value: Value) -> str:
    # Tuples cannot stand in JSON without becoming lists, so layer sizes are written "100-50".
    if isinstance(value, str) and value.replace("-", "").isdigit():
        return "(" + ", ".join(value.split("-")) + ",)"
    return f'"{value}"' if isinstance(value, str) else repr(value)


@dataclass(frozen=True)
class Family:
    """One kind of model for both kinds of target, where it has both.

    Args:
        prior: how readily a practitioner reaches for it first.
        strength: how far it usually gets on a table; decides what may be switched to.
        seconds: cost of one fit, and the power of the number of rows that it grows with.
        linear: whether numbers must be scaled and categories spread over columns.
        max_rows: more rows than this are never fitted (kernel methods).
        image: how it takes images: every pixel, components of them, or not at all.
    """

    title: str
    classifier: Estimator | None
    regressor: Estimator | None
    prior: int
    strength: int
    seconds: float
    power: float = 1.0
    linear: bool = False
    max_rows: int = 0
    image: Literal["pixels", "components", "never"] = "pixels"

    def allows(self, name: str, value: Value) -> bool:
        """Whether a setting is on one of the ladders."""
        for estimator in (self.classifier, self.regressor):
            ladder = estimator.ladders.get(name) if estimator else None
            if ladder is not None and any(
                value == known and type(value) is type(known) for known in ladder.values
            ):
                return True
        return False


def _ensemble(name: str) -> str:
    return f"from sklearn.ensemble import {name}"


def _linear(name: str) -> str:
    return f"from sklearn.linear_model import {name}"


_FOREST = {
    "n_estimators": Ladder((50, 100, 250), 100),
    "min_samples_leaf": Ladder((1, 2, 4, 8, 16), 1),
    "max_features": Ladder(("sqrt", 0.3, 0.5, 0.8), "sqrt"),
}
_FOREST_REGRESSOR = _FOREST | {"max_features": Ladder(("sqrt", 0.3, 0.5, 1.0), 1.0)}
_HIST = {
    "learning_rate": Ladder((0.02, 0.05, 0.1, 0.2), 0.1),
    "max_iter": Ladder((50, 100, 200, 400), 100),
    "max_leaf_nodes": Ladder((4, 8, 15, 31, 63), 31),
    "min_samples_leaf": Ladder((5, 10, 20, 40, 80), 20),
    "l2_regularization": Ladder((0.0, 1.0, 10.0), 0.0),
    "max_features": Ladder((0.2, 0.5, 1.0), 1.0),
}
_BOOSTING = {
    "learning_rate": Ladder((0.03, 0.1, 0.2), 0.1),
    "n_estimators": Ladder((50, 100, 200, 300), 100),
    "max_depth": Ladder((2, 3, 4, 6), 3),
    "subsample": Ladder((0.5, 0.8, 1.0), 1.0),
    "max_features": Ladder((0.2, 0.5, None), None),
}
_TREE = {
    "max_depth": Ladder((3, 5, 8, 12, None), 5),
    "min_samples_leaf": Ladder((1, 5, 20), 1),
}
_ADABOOST = {
    "depth": Ladder((1, 2, 3, 5), 1),
    "n_estimators": Ladder((50, 100, 200), 50),
    "learning_rate": Ladder((0.1, 0.3, 1.0), 1.0),
}
_BAGGING = {
    "n_estimators": Ladder((10, 30, 60), 10),
    "max_samples": Ladder((0.3, 0.6, 1.0), 1.0),
    "max_features": Ladder((0.5, 0.8, 1.0), 1.0),
}
_KNN = {
    "n_neighbors": Ladder((1, 3, 5, 10, 20, 40), 5),
    "weights": Ladder(("uniform", "distance"), "uniform"),
    "p": Ladder((1, 2), 2),
}
_SVM = {
    "C": Ladder((0.1, 0.3, 1.0, 3.0, 10.0, 30.0), 1.0),
    "gamma": Ladder((0.003, 0.01, 0.03, 0.1, "scale"), "scale"),
}
_MLP = {
    "hidden_layer_sizes": Ladder(("30", "100", "200", "100-50", "400"), "100"),
    "alpha": Ladder((0.0001, 0.01, 0.1, 1.0), 0.0001),
    "learning_rate_init": Ladder((0.0003, 0.001, 0.003), 0.001),
    "max_iter": Ladder((15, 30, 60), 30),
}

FAMILIES: Mapping[str, Family] = {
    "linear": Family(
        "linear model",
        Estimator(
            "LogisticRegression(C={C}, max_iter=300)",
            (_linear("LogisticRegression"),),
            {"C": Ladder((0.001, 0.01, 0.1, 1.0, 10.0), 1.0)},
        ),
        Estimator(
            "Ridge(alpha={alpha})",
            (_linear("Ridge"),),
            {"alpha": Ladder((0.1, 1.0, 10.0, 100.0), 1.0)},
        ),
        prior=4, strength=2, seconds=0.2, linear=True,
    ),
    "lasso": Family(
        "linear model with an L1 penalty",
        Estimator(
            'SGDClassifier(loss="log_loss", penalty="elasticnet", alpha={alpha}, '
            "l1_ratio={l1_ratio}, random_state=SEED)",
            (_linear("SGDClassifier"),),
            {
                "alpha": Ladder((0.0001, 0.001, 0.01), 0.0001),
                "l1_ratio": Ladder((0.15, 0.5, 0.9), 0.15),
            },
        ),
        Estimator(
            "ElasticNet(alpha={alpha}, l1_ratio={l1_ratio})",
            (_linear("ElasticNet"),),
            {
                "alpha": Ladder((0.001, 0.01, 0.1, 1.0), 0.1),
                "l1_ratio": Ladder((0.1, 0.5, 0.9), 0.5),
            },
        ),
        prior=2, strength=2, seconds=0.2, linear=True, image="components",
    ),
    "linear_svm": Family(
        "linear support vector machine",
        Estimator(
            "LinearSVC(C={C}, random_state=SEED)",
            ("from sklearn.svm import LinearSVC",),
            {"C": Ladder((0.001, 0.01, 0.1, 1.0), 1.0)},
            answers="margins",
        ),
        Estimator(
            "LinearSVR(C={C}, epsilon=0.01, max_iter=3000, random_state=SEED)",
            ("from sklearn.svm import LinearSVR",),
            {"C": Ladder((0.1, 1.0, 10.0), 1.0)},
        ),
        prior=1, strength=2, seconds=0.2, linear=True, image="components",
    ),
    "knn": Family(
        "nearest neighbours",
        Estimator(
            "KNeighborsClassifier(n_neighbors={n_neighbors}, weights={weights}, p={p})",
            ("from sklearn.neighbors import KNeighborsClassifier",),
            _KNN,
        ),
        Estimator(
            "KNeighborsRegressor(n_neighbors={n_neighbors}, weights={weights}, p={p})",
            ("from sklearn.neighbors import KNeighborsRegressor",),
            _KNN,
        ),
        prior=3, strength=1, seconds=0.4, power=2.0, linear=True, max_rows=20000,
    ),
    "svm": Family(
        "support vector machine with an RBF kernel",
        Estimator(
            "SVC(C={C}, gamma={gamma}, random_state=SEED)",
            ("from sklearn.svm import SVC",),
            _SVM,
            answers="margins",
        ),
        Estimator(
            "SVR(C={C}, gamma={gamma})", ("from sklearn.svm import SVR",), _SVM
        ),
        prior=3, strength=3, seconds=2.4, power=2.0, linear=True, max_rows=3000,
    ),
    "tree": Family(
        "decision tree",
        Estimator(
            "DecisionTreeClassifier(max_depth={max_depth}, "
            "min_samples_leaf={min_samples_leaf}, random_state=SEED)",
            ("from sklearn.tree import DecisionTreeClassifier",),
            _TREE,
        ),
        Estimator(
            "DecisionTreeRegressor(max_depth={max_depth}, "
            "min_samples_leaf={min_samples_leaf}, random_state=SEED)",
            ("from sklearn.tree import DecisionTreeRegressor",),
            _TREE,
        ),
        prior=2, strength=1, seconds=0.1,
    ),
    "random_forest": Family(
        "random forest",
        Estimator(
            "RandomForestClassifier(n_estimators={n_estimators}, "
            "min_samples_leaf={min_samples_leaf}, max_features={max_features}, "
            "random_state=SEED)",
            (_ensemble("RandomForestClassifier"),),
            _FOREST,
        ),
        Estimator(
            "RandomForestRegressor(n_estimators={n_estimators}, "
            "min_samples_leaf={min_samples_leaf}, max_features={max_features}, "
            "random_state=SEED)",
            (_ensemble("RandomForestRegressor"),),
            _FOREST_REGRESSOR,
        ),
        prior=4, strength=4, seconds=1.0,
    ),
    "extra_trees": Family(
        "extremely randomized trees",
        Estimator(
            "ExtraTreesClassifier(n_estimators={n_estimators}, "
            "min_samples_leaf={min_samples_leaf}, max_features={max_features}, "
            "random_state=SEED)",
            (_ensemble("ExtraTreesClassifier"),),
            _FOREST,
        ),
        Estimator(
            "ExtraTreesRegressor(n_estimators={n_estimators}, "
            "min_samples_leaf={min_samples_leaf}, max_features={max_features}, "
            "random_state=SEED)",
            (_ensemble("ExtraTreesRegressor"),),
            _FOREST_REGRESSOR,
        ),
        prior=2, strength=4, seconds=0.6,
    ),
    "gradient_boosting": Family(
        "gradient boosting",
        Estimator(
            "GradientBoostingClassifier(n_estimators={n_estimators}, "
            "learning_rate={learning_rate}, max_depth={max_depth}, subsample={subsample}, "
            "max_features={max_features}, random_state=SEED)",
            (_ensemble("GradientBoostingClassifier"),),
            _BOOSTING,
        ),
        Estimator(
            "GradientBoostingRegressor(n_estimators={n_estimators}, "
            "learning_rate={learning_rate}, max_depth={max_depth}, subsample={subsample}, "
            "max_features={max_features}, random_state=SEED)",
            (_ensemble("GradientBoostingRegressor"),),
            _BOOSTING,
        ),
        prior=3, strength=5, seconds=1.1, image="never",
    ),
    "hist_boosting": Family(
        "histogram gradient boosting",
        Estimator(
            "HistGradientBoostingClassifier(max_iter={max_iter}, "
            "learning_rate={learning_rate}, max_leaf_nodes={max_leaf_nodes}, "
            "min_samples_leaf={min_samples_leaf}, l2_regularization={l2_regularization}, "
            "max_features={max_features}, early_stopping=False, random_state=SEED)",
            (_ensemble("HistGradientBoostingClassifier"),),
            _HIST,
        ),
        Estimator(
            "HistGradientBoostingRegressor(max_iter={max_iter}, "
            "learning_rate={learning_rate}, max_leaf_nodes={max_leaf_nodes}, "
            "min_samples_leaf={min_samples_leaf}, l2_regularization={l2_regularization}, "
            "max_features={max_features}, early_stopping=False, random_state=SEED)",
            (_ensemble("HistGradientBoostingRegressor"),),
            _HIST,
        ),
        prior=4, strength=5, seconds=0.35, image="components",
    ),
    "adaboost": Family(
        "AdaBoost",
        Estimator(
            "AdaBoostClassifier(DecisionTreeClassifier(max_depth={depth}), "
            "n_estimators={n_estimators}, learning_rate={learning_rate}, random_state=SEED)",
            (
                _ensemble("AdaBoostClassifier"),
                "from sklearn.tree import DecisionTreeClassifier",
            ),
            _ADABOOST,
        ),
        Estimator(
            "AdaBoostRegressor(DecisionTreeRegressor(max_depth={depth}), "
            "n_estimators={n_estimators}, learning_rate={learning_rate}, random_state=SEED)",
            (
                _ensemble("AdaBoostRegressor"),
                "from sklearn.tree import DecisionTreeRegressor",
            ),
            _ADABOOST | {"depth": Ladder((1, 2, 3, 5), 3)},
        ),
        prior=2, strength=3, seconds=0.4, image="components",
    ),
    "bagging": Family(
        "bagged trees",
        Estimator(
            "BaggingClassifier(n_estimators={n_estimators}, max_samples={max_samples}, "
            "max_features={max_features}, random_state=SEED)",
            (_ensemble("BaggingClassifier"),),
            _BAGGING,
        ),
        Estimator(
            "BaggingRegressor(n_estimators={n_estimators}, max_samples={max_samples}, "
            "max_features={max_features}, random_state=SEED)",
            (_ensemble("BaggingRegressor"),),
            _BAGGING,
        ),
        prior=1, strength=3, seconds=0.6, image="components",
    ),
    "mlp": Family(
        "neural network",
        Estimator(
            "MLPClassifier(hidden_layer_sizes={hidden_layer_sizes}, alpha={alpha}, "
            "learning_rate_init={learning_rate_init}, max_iter={max_iter}, random_state=SEED)",
            ("from sklearn.neural_network import MLPClassifier",),
            _MLP,
        ),
        Estimator(
            "MLPRegressor(hidden_layer_sizes={hidden_layer_sizes}, alpha={alpha}, "
            "learning_rate_init={learning_rate_init}, max_iter={max_iter}, random_state=SEED)",
            ("from sklearn.neural_network import MLPRegressor",),
            _MLP
            | {
                "learning_rate_init": Ladder((0.001, 0.003, 0.01), 0.003),
                "max_iter": Ladder((60, 120, 240), 120),
            },
        ),
        prior=3, strength=3, seconds=0.7, linear=True,
    ),
    "naive_bayes": Family(
        "naive Bayes",
        Estimator(
            "GaussianNB(var_smoothing={var_smoothing})",
            ("from sklearn.naive_bayes import GaussianNB",),
            {"var_smoothing": Ladder((1e-9, 1e-4, 0.01, 0.1), 1e-9)},
        ),
        None,
        prior=1, strength=1, seconds=0.05, linear=True,
    ),
    "bayesian_ridge": Family(
        "Bayesian ridge regression",
        None,
        Estimator("BayesianRidge()", (_linear("BayesianRidge"),)),
        prior=1, strength=2, seconds=0.2, linear=True,
    ),
    "lda": Family(
        "linear discriminant analysis",
        Estimator(
            'LinearDiscriminantAnalysis(solver="lsqr", shrinkage={shrinkage})',
            ("from sklearn.discriminant_analysis import LinearDiscriminantAnalysis",),
            {"shrinkage": Ladder((0.01, 0.1, 0.5, "auto"), "auto")},
        ),
        None,
        prior=1, strength=2, seconds=0.2, linear=True,
    ),
    "qda": Family(
        "quadratic discriminant analysis",
        Estimator(
            "QuadraticDiscriminantAnalysis(reg_param={reg_param})",
            ("from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis",),
            {"reg_param": Ladder((0.01, 0.1, 0.3, 0.6), 0.1)},
        ),
        None,
        prior=1, strength=1, seconds=0.3, linear=True, image="components",
    ),
    "kernel": Family(
        "kernel model",
        Estimator(
            "make_pipeline(Nystroem(n_components={n_components}, random_state=SEED), "
            "LogisticRegression(C={C}, max_iter=300))",
            (
                "from sklearn.kernel_approximation import Nystroem",
                _linear("LogisticRegression"),
                "from sklearn.pipeline import make_pipeline",
            ),
            {
                "n_components": Ladder((100, 300, 600), 300),
                "C": Ladder((0.1, 1.0, 10.0, 100.0), 1.0),
            },
        ),
        Estimator(
            'KernelRidge(kernel="rbf", alpha={alpha}, gamma={gamma})',
            ("from sklearn.kernel_ridge import KernelRidge",),
            {
                "alpha": Ladder((0.01, 0.1, 1.0), 1.0),
                "gamma": Ladder((0.003, 0.01, 0.03, 0.1, None), None),
            },
        ),
        prior=1, strength=3, seconds=0.3, power=1.5, linear=True, max_rows=3000,
    ),
    "gaussian_process": Family(
        "Gaussian process",
        None,
        Estimator(
            "GaussianProcessRegressor(RBF({length}) + WhiteKernel({noise}), "
            "normalize_y=True, random_state=SEED)",
            (
                "from sklearn.gaussian_process import GaussianProcessRegressor",
                "from sklearn.gaussian_process.kernels import RBF, WhiteKernel",
            ),
            {
                "length": Ladder((1.0, 3.0, 10.0), 3.0),
                "noise": Ladder((0.01, 0.1, 1.0), 0.1),
            },
        ),
        prior=1, strength=3, seconds=900.0, power=3.0, linear=True, max_rows=600,
        image="never",
    ),
}
