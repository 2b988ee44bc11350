"""What may be a leak, and the predictions that come of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from . import columns, judge
from .join import Join, joins
from .own import Own, goal, id_keys
from .pairs import plain_name
from .tables import Table, names

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

MOST_COLUMNS = 60
LEAST_TRAIN = 20
UNSURE = 3
"""Columns of one join that are handed in though training rows do not show that they tell more."""
COPY = 0.98


@dataclass(frozen=True)
class Leak:
    """A way to predict the test rows.

    Args:
        route: outside, public, twins or order.
        predicted: the goal of each test row, NaN where this way tells nothing.
        copied: values to submit as they are, where there was nothing to learn from.
        facts: what people are told of it.
        sure: whether it tells more than is honest by the training rows alone; if not, the host
            has to see what it scores.
    """

    route: str
    facts: dict[str, Any]
    predicted: NDArray[Any] | None = None
    copied: dict[str, pd.Series] = field(default_factory=dict)
    sure: bool = True

    @property
    def promise(self) -> float:
        """What it is expected to be worth, to try the best first."""
        return float(self.facts.get("skill", 1.0) * self.facts.get("coverage", 1.0))


def outside(own: Own, table: Table, honest: float) -> list[Leak]:
    """Leaks by a table from elsewhere: one column that tells more than the task's own.

    Where none does, those that tell about as much are for the host to judge.
    """
    found = []
    for join in joins(own, table):
        trained = join.rows[: own.train] >= 0
        if own.known is None or trained.sum() < LEAST_TRAIN:
            found += _copies(own, join, "outside", by_name=True)
            continue
        found += _listed(own, join, honest)
        ranked = sorted(_columns(own, join), key=lambda each: -each[0])
        sure = bool(ranked) and judge.tells_more(ranked[0][0], honest)
        for skill, name, fit in ranked[: 1 if sure else UNSURE]:
            if sure or judge.keeps_up(skill, honest):
                facts = {**_facts(own, join), "column": name, "skill": round(skill, 4)}
                predicted = _fitted(own, join, fit, _numbers(join, name))
                found.append(Leak("outside", facts, predicted, sure=sure))
    return found


def honest(own: Own) -> Iterator[Leak]:
    """No leaks at all: what quick models of the task's own columns predict, to compare with."""
    import numpy as np

    if not own.features.shape[1]:
        yield Leak("honest", {}, np.tile(own.goal.mean(axis=0), (own.test, 1)))
        return
    rows = np.random.default_rng(0).permutation(own.train)[: judge.MOST_ROWS]
    for fit in (judge.calm, judge.forest, judge.line):
        with suppress(np.linalg.LinAlgError):  # of wild numbers there may be no line
            fitted = fit(own.features[rows], own.goal[rows])
            yield Leak("honest", {}, fitted(own.features[own.train :]))


def _columns(own: Own, join: Join) -> Iterator[tuple[float, str, judge.Fit]]:
    """Each column that is left, with its skill and how that is had."""
    trained = join.rows[: own.train] >= 0
    for name in _left(own, join):
        x = _numbers(join, name)
        seen = x[: own.train][trained]
        skills = [(judge.skill(f, seen, own.goal[trained]), f) for f in (judge.tree, judge.line)]
        skill, fit = max(skills, key=lambda each: each[0])
        yield skill, name, fit


def _listed(own: Own, join: Join, honest: float) -> list[Leak]:
    """A list of one kind of rows: that a row stands in it tells the target."""
    x = (join.rows >= 0).astype(float)[:, None]
    seen = x[: own.train]
    if seen.all():
        return []
    skill = judge.skill(judge.line, seen, own.goal)
    if not judge.tells_more(skill, honest):
        return []
    predicted = judge.line(seen, own.goal)(x[own.train :])
    facts = {**_facts(own, join), "column": "being listed", "skill": round(skill, 4)}
    return [Leak("outside", {**facts, "coverage": 1.0}, predicted)]


def public(own: Own, table: Table) -> list[Leak]:
    """Leaks by a further public file: a copy of the target.

    Whatever else such a file tells is meant for agents.
    """
    found = []
    for join in joins(own, table):
        trained = join.rows[: own.train] >= 0
        if own.known is None or trained.sum() < LEAST_TRAIN:
            found += _copies(own, join, "public", by_name=False)
            continue
        for target in own.contract.target:
            truth = id_keys(own.known[target])[trained]
            for name in _left(own, join):
                copy = id_keys(table.frame[name])[join.rows[: own.train][trained]]
                if float((copy == truth).mean()) >= COPY:
                    copied = {target: _taken(own, join, name)}
                    facts = {**_facts(own, join), "column": name}
                    found.append(Leak("public", facts, copied=copied))
    return found


def twins(own: Own) -> list[Leak]:
    """Test rows that stand in the training table too, where they do so beyond chance.

    Coarse columns make twins honestly, and then training rows have twins among themselves just
    as often. Only an excess over that says that rows were copied.
    """
    import numpy as np

    keys = [key for _, key in own.keys.values()]
    keys += [columns.block_keys(block) for block in own.blocks.values()]
    if own.known is None or not keys or not own.train:
        return []
    both = columns.mixed(keys)
    mine, test = both[: own.train], both[own.train :]
    distinct, place, often = np.unique(mine, return_inverse=True, return_counts=True)
    among = float((often[place] > 1).mean())
    at = np.minimum(np.searchsorted(distinct, test), len(distinct) - 1)
    met = distinct[at] == test
    share = float(met.mean())
    spread = (among * (1 - among) + 1e-6) * (1 / own.train + 1 / own.test)
    if share - among < 0.01 or share - among < 4 * spread**0.5:
        return []
    sums = np.zeros((len(distinct), own.goal.shape[1]))
    np.add.at(sums, place, own.goal)
    predicted = np.full((own.test, own.goal.shape[1]), np.nan)
    predicted[met] = (sums / often[:, None])[at[met]]
    facts = {"source": "the training table", "on": "all columns", "column": "the target",
             "coverage": share, "among_train": among}  # fmt: skip
    return [Leak("twins", facts, predicted)]


def order(own: Own) -> list[Leak]:
    """Targets told by a row's place or id, unless the columns themselves tell the place."""
    import numpy as np

    if own.known is None or own.train < LEAST_TRAIN:
        return []
    import pandas as pd

    place = np.concatenate([np.arange(n) / max(1, n) for n in (own.train, own.test)])
    digits = pd.Series(own.ids).str.extract(r"(\d{1,15})\D*$", expand=False)
    number = pd.to_numeric(digits, errors="coerce").fillna(-1).to_numpy(float)
    found = []
    for name, x in (("the place in the file", place), (own.contract.id_column, number)):
        seen = x[: own.train, None]
        skill = judge.skill(judge.tree, seen, own.goal)
        if skill < 0.05:
            continue
        features = own.features[: own.train]
        if features.shape[1] and judge.skill(judge.forest, features, seen) > 0.3:
            continue
        predicted = judge.tree(seen, own.goal)(x[own.train :, None])
        facts = {"source": "the public tables", "on": "the order of the rows", "column": name,
                 "coverage": 1.0, "skill": round(skill, 4)}  # fmt: skip
        found.append(Leak("order", facts, predicted))
    return found


def _numbers(join: Join, name: str) -> NDArray[Any]:
    """A column of the table for the task's rows; of those that were not found it says nothing."""
    return columns.codes(join.table.frame[name])[join.rows, None]


def _fitted(own: Own, join: Join, fit: judge.Fit, x: NDArray[Any]) -> NDArray[Any]:
    import numpy as np

    trained, met = join.rows[: own.train] >= 0, join.rows[own.train :] >= 0
    predicted = np.full((own.test, own.goal.shape[1]), np.nan)
    predicted[met] = fit(x[: own.train][trained], own.goal[trained])(x[own.train :][met])
    return predicted


def _left(own: Own, join: Join) -> list[str]:
    """The table's columns that were not joined on."""
    target = {plain_name(name) for name in own.contract.target}
    left = [name for name in names(join.table.frame) if name not in join.used]
    return sorted(left, key=lambda name: plain_name(name) not in target)[:MOST_COLUMNS]


def _copies(own: Own, join: Join, route: str, by_name: bool) -> list[Leak]:
    """A column called like the target, or (in public files) one with just the same values."""
    found = []
    for target in own.contract.predicted:
        for name in _left(own, join):
            named = plain_name(name) == plain_name(target)
            if named or (not by_name and _same_values(own, target, join.table.frame[name])):
                facts = {**_facts(own, join), "column": name}
                found.append(Leak(route, facts, copied={target: _taken(own, join, name)}))
    return found


def _same_values(own: Own, target: str, column: pd.Series) -> bool:
    """Whether a column has the very classes of the target."""
    if own.known is None or target not in own.known:
        return False
    classes = set(id_keys(own.known[target]).tolist())
    few = bool(goal(own.known[target])[1]) and len(classes) > 1
    return few and set(id_keys(column).tolist()) == classes


def _taken(own: Own, join: Join, name: str) -> pd.Series:
    """A column's values for the test rows, missing where there is no match."""
    rows = join.rows[own.train :]
    values = join.table.frame[name].iloc[rows].reset_index(drop=True)
    return values.where(rows >= 0)


def _facts(own: Own, join: Join) -> dict[str, Any]:
    coverage = round(join.coverage(own), 4)
    return {"source": join.table.source, "on": join.on, "coverage": coverage}
