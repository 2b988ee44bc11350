"""The part of a program that fits each target and writes the submission."""

from __future__ import annotations

from textwrap import dedent

from mlxlab.scaffolds.recipe.problem import Problem
from mlxlab.scaffolds.recipe.space import MODEL, Recipe

_NUMBERS = dedent('''\


    def solve(target):
        """Fit one target and predict it, never beyond what was seen."""
        known = train[target].notna().to_numpy()
        y = train.loc[known, target].to_numpy(float)
        low, high = y.min(), y.max()
    <before>
        middle, spread = y.mean(), y.std() or 1.0
        guess = fitted(X[known], (y - middle) / spread).predict(X_test) * spread + middle
    <after>
        return np.clip(guess, low, high)
''')
_LOG_BEFORE = "    y = np.sign(y) * np.log1p(np.abs(y))"
_LOG_AFTER = "    guess = np.sign(guess) * np.expm1(np.abs(guess))"

_LABELS = dedent('''\


    def solve(target):
        """Fit one target and predict its labels."""
        known = train[target].notna().to_numpy()
        labels, y = np.unique(train.loc[known, target].to_numpy(str), return_inverse=True)
        return labels[fitted(X[known], y).predict(X_test)]
''')

_CHANCES = dedent('''\


    def solve(target):
        """Fit one target and predict <what>."""
        known = train[target].notna().to_numpy()
        labels, y = np.unique(train.loc[known, target].to_numpy(str), return_inverse=True)
        model = fitted(X[known], y)
    <chances>
    <answer>
''')
_ASKED = "    chances = model.predict_proba(X_test)"
_MARGINS = """\
    margins = model.decision_function(X_test)
    if margins.ndim == 1:
        margins = np.column_stack([-margins, margins])
    chances = np.exp(margins - margins.max(axis=1, keepdims=True))
    chances /= chances.sum(axis=1, keepdims=True)"""
_ONE = "    return np.clip(chances[:, -1], 0.001, 0.999)"
_EACH = """\
    table = np.full((len(X_test), len(COLUMNS)), 0.001)
    for place, column in enumerate(COLUMNS):
        ends = [n for n, label in enumerate(labels) if column.endswith(label)]
        same = [n for n, label in enumerate(labels) if column == label]
        if same or ends:
            table[:, place] += chances[:, (same or ends)[-1]]
    return table / table.sum(axis=1, keepdims=True)"""

_WRITE = dedent("""\


    ids = test if ID in test else pd.read_csv("input/<sample>", dtype={ID: str})
    submission = pd.DataFrame({ID: ids[ID]})
    <fill>
    submission.to_csv("<path>", index=False)
""")
_FILL_EACH = """\
for target, column in zip(TARGETS, COLUMNS):
    submission[column] = solve(target)"""


def solving(recipe: Recipe, problem: Problem) -> str:
    """`solve`, and the statements that write what it gives."""
    spread = len(problem.targets) == 1 and len(problem.columns) > 1
    fill = "submission[COLUMNS] = solve(TARGETS[0])" if spread else _FILL_EACH
    write = _WRITE.replace("<sample>", problem.sample).replace("<path>", problem.path)
    return _solve(recipe, problem, spread) + write.replace("<fill>", fill)


def _solve(recipe: Recipe, problem: Problem, spread: bool) -> str:
    if problem.kind == "regression":
        logs = recipe.get("target") == "log"
        code = _NUMBERS.replace("<before>\n", _LOG_BEFORE + "\n" if logs else "")
        return code.replace("<after>\n", _LOG_AFTER + "\n" if logs else "")
    if problem.output == "labels":
        return _LABELS
    what = "the chance of each class" if spread else "the chance of its last class"
    chances = _MARGINS if recipe[MODEL] == "svm" else _ASKED
    answer = _EACH if spread else _ONE
    code = _CHANCES.replace("<what>", what).replace("<chances>", chances)
    return code.replace("<answer>", answer)
