"""Columns that give the answer away: one alone tells more than all the others together.

A column is judged by what a tree or a line of it alone explains of the target, on training rows
that were left out. It may tell by its value, or by something simple in it: a number within a
text, its first word, a label that it names, its last digit.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from mlxlab.testing.taskcheck.cheat import columns, judge
from mlxlab.testing.taskcheck.cheat.own import goal
from mlxlab.testing.taskcheck.finding import Finding, failed, passed, skipped, warned
from mlxlab.testing.taskcheck.subject import Subject
from mlxlab.testing.taskcheck.table import Table

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

LIKELY, COPY = 0.8, 0.999
"""Explained shares from which a column is looked at, and is a leak whatever the others tell."""

SURE_OF_LABELS, SURE_OF_NUMBERS = 0.95, 0.995
"""Explained shares from which a column is a leak if it also tells far more than the others:
lower for labels, since numbers often are one column's honest multiple, with some noise."""

FAR = 5.0
"""How many times more the other columns leave unexplained, where one tells far more."""

FEWEST = 50
MOST_LABELS = 30


class Telling(NamedTuple):
    """What one column tells of one target."""

    skill: float
    column: str
    form: str
    target: str


def telling_columns(check: str, _: Subject, table: Table) -> Finding:
    """No column, nor anything simple in one, tells the target as nothing honest would."""
    if (leak := _told_by_test_rows(table)) is not None:
        told = f"{_told(leak)} of the test rows, and train.csv does not have it."
        return failed(check, f"{told} It gives the answer away.", **leak._asdict())
    if len(table.train) < FEWEST or not len(table.train.columns):
        return skipped(check, f"Not applicable: fewer than {FEWEST} training rows, or no columns.")
    import numpy as np

    drawn = np.random.default_rng(0).permutation(len(table.train))[: judge.MOST_ROWS]
    frame = table.train.iloc[drawn].reset_index(drop=True)
    groups = _groups(table, frame)
    found: list[Telling] = []
    for target in table.known.columns:
        answers = table.known[target].iloc[drawn].reset_index(drop=True)
        found += _all(table, frame, answers, groups)
    found.sort(reverse=True)
    best = found[0]
    for one in (each for each in found if each.skill >= LIKELY):
        answers = table.known[one.target].iloc[drawn].reset_index(drop=True)
        sure_from = SURE_OF_LABELS if goal(answers)[1] else SURE_OF_NUMBERS
        sure = {
            each.column for each in found if each.skill >= sure_from and each.target == one.target
        }
        others = _others(frame.drop(columns=[*sure | {one.column}]), answers, groups)
        far = 1 - others > FAR * (1 - one.skill)
        told = f"{_told(one)}; the other columns together explain {others:.1%}{table.cut}."
        facts = {**one._asdict(), "others": round(others, 4)}
        if one.skill >= COPY or (far and one.skill >= sure_from and frame.shape[1] > 1):
            return failed(check, f"{told} It gives the answer away.", **facts)
        if far and frame.shape[1] > 1:
            return warned(check, f"{told} Is it known before the answer is?", **facts)
    return passed(check, f"At most, {_told(best)}{table.cut}.", **best._asdict())


def _told_by_test_rows(table: Table) -> Telling | None:
    """What a column of test.csv alone tells of the true answers, where it copies them."""
    if table.alone is None or table.asked is None:
        return None
    for target in table.asked.columns:
        known = table.asked[target].notna()
        if known.sum() < FEWEST:
            continue
        answers = table.asked[target][known].reset_index(drop=True)
        frame = table.alone[known.to_numpy()].reset_index(drop=True)
        for one in (_best(frame[name], answers, None) for name in frame.columns):
            if one.skill >= COPY:
                return one
    return None


def _told(one: Telling) -> str:
    form = f" ({one.form})" if one.form else ""
    return f"'{one.column}'{form} alone explains {max(0.0, one.skill):.1%} of '{one.target}'"


def _all(
    table: Table, frame: pd.DataFrame, answers: pd.Series, groups: NDArray[Any] | None
) -> Iterator[Telling]:
    """Each column by the form of it that tells most."""
    for name in frame.columns:
        if table.test[name].notna().any():
            yield _best(frame[name], answers, groups)


def _best(column: pd.Series, answers: pd.Series, groups: NDArray[Any] | None) -> Telling:
    wanted, classes = goal(answers)
    labels = [str(label) for label in classes] if answers.dtype.kind not in "buif" else []
    best = Telling(0.0, str(column.name), "", str(answers.name))
    for form, values in _forms(column, labels):
        for fit in (judge.tree, judge.line):
            skill = judge.skill(fit, values[:, None], wanted, groups)
            best = max(best, best._replace(skill=round(skill, 4), form=form))
    return best


def _others(frame: pd.DataFrame, answers: pd.Series, groups: NDArray[Any] | None) -> float:
    import numpy as np

    if not len(frame.columns):
        return 0.0
    x = np.column_stack([columns.codes(frame[name]) for name in frame.columns])
    return max(0.0, judge.skill(judge.forest, x, goal(answers)[0], groups))


def _forms(column: pd.Series, labels: list[str]) -> Iterator[tuple[str, NDArray[Any]]]:
    """A column as numbers, in the ways in which it may tell."""
    import pandas as pd

    yield "", columns.codes(column)
    values = columns.numbers(column)
    if values is not None:
        if columns.decimals(values) == 0:
            yield "its last digit", columns.codes(pd.Series(abs(values) % 10))
        return
    text = column.astype("string").fillna("").str.lower()
    yield "its length", columns.codes(text.str.len())
    for form, pattern in {
        "the number in it": r"(-?\d+(?:\.\d+)?)",
        "its first word": r"^\W*(\w+)",
        "its last word": r"(\w+)\W*$",
    }.items():
        part = text.str.extract(pattern, expand=False)
        yield form, columns.codes(pd.to_numeric(part) if "number" in form else part)
    if 1 < len(labels) <= MOST_LABELS:
        yield "a label that it names", columns.codes(_named(text, labels))


def _named(text: pd.Series, labels: list[str]) -> pd.Series:
    """The label that stands in each text; nothing where there is none, or more than one."""
    import numpy as np
    import pandas as pd

    hits = np.column_stack([text.str.contains(label.lower(), regex=False) for label in labels])
    return pd.Series(np.where(hits.sum(axis=1) == 1, hits.argmax(axis=1), -1))


def _groups(table: Table, frame: pd.DataFrame) -> NDArray[Any] | None:
    """Numbers of the groups that the task itself keeps apart, to be left out as wholes.

    They are the values of a column that come back among training rows, but never in test rows.
    """
    import pandas as pd

    for name in table.train.columns:
        seen = table.train[name].dropna()
        distinct = seen.nunique()
        if 10 <= distinct <= len(seen) / 2 and not seen.isin(table.test[name]).any():
            return pd.factorize(frame[name])[0]
    return None
