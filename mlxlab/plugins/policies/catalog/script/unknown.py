"""The pieces of a program for a metric that the catalog does not know by name.

Whether the target is a label or a number is decided when the program runs.
"""

from __future__ import annotations

from mlxlab.plugins.policies.catalog.problem import Problem
from mlxlab.plugins.policies.catalog.script.parts import Builder
from mlxlab.plugins.policies.catalog.script.text import dedent, fill

_SOLVE = dedent('''
    def is_label(column):
        """Whether a target is a class: not a number, or a number of few whole values."""
        if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
            return True
        return bool((column % 1 == 0).all()) and column.nunique() <= 10


    def fit(X, y, classify):
        """Fit the model<capped>."""
        rows = np.random.default_rng(SEED).permutation(len(y))[:<cap>]
        return <name>(classify).fit(X<at>[rows], y[rows])


    def solve(target):
        """Score held-out rows, then fit on all of them and predict the test rows."""
        known = train[target].notna().to_numpy()
        X, y = X_train[known], train.loc[known, target]
        classify = is_label(y)
        if classify:
            if pd.api.types.is_float_dtype(y):
                y = y.astype(int)
            classes, y = np.unique(y.to_numpy(), return_inverse=True)
        else:
            y = y.to_numpy(float)
        inner, outer = next(KFold(4, shuffle=True, random_state=SEED).split(X))
        guess = fit(X<at>[inner], y[inner], classify).predict(X<at>[outer])
        measure = accuracy_score if classify else r2_score
        value = measure(y[outer], np.ravel(guess))
        guess = np.ravel(fit(X, y, classify).predict(X_test))
        return value, classes[guess] if classify else guess
''')

IMPORTS = (
    "from sklearn.metrics import accuracy_score, r2_score",
    "from sklearn.model_selection import KFold",
)


def functions(builder: Builder, problem: Problem) -> list[str]:
    """`fit` and `solve` for either kind of target."""
    return [
        fill(
            _SOLVE,
            name=builder.name,
            at="" if problem.image else ".iloc",
            cap=builder.cap or problem.rows,
            capped=f" on at most {builder.cap} rows" if builder.cap else "",
        )
    ]
