"""Carving public rows out of a folder task's training rows.

The carved rows join the test file, and nothing in it may tell them from the rows that came
with it. So, by construction and not by likeness:

- The rows are shuffled together.
- Every row of the test file gets its id by lot from one pool: the ids that were there, and one
  fresh id of the same shape (a whole number of their range, or a text with letters and digits
  in the same places) for each carved row. An id says nothing about its row.
- Training rows keep their order and take the first of the training ids: no gap is left where
  a row was.
- Where groups are carved and the group's column is in the test file, the groups' names are
  dealt by lot as well.
- Numbers of a column are written in one style in both files, and so are missing ones.

What remains is what the data itself says: if the author's test rows differ from the training
rows (a later year, say), so do the carved rows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlxlab.plugins.tasks.cells import one_style
from mlxlab.plugins.tasks.split import by_group, ordered, shuffled, stride
from mlxlab.plugins.tasks.submission import is_whole

if TYPE_CHECKING:
    import pandas as pd

STRATA = 20
DECILES = 10


@dataclass(frozen=True)
class Carved:
    """The two files after carving, and for each row of the test file where it came from.

    Args:
        came: (whether it is a public row, its row number in the file that it came from).
    """

    train: pd.DataFrame
    test: pd.DataFrame
    came: list[tuple[bool, int]]


def choose(
    targets: Sequence[str], count: int, salt: str, groups: Sequence[str] | None, numeric: bool
) -> tuple[list[int], list[int]]:
    """The training rows to carve and those to keep: by group, else evenly over strata.

    Strata are the target's values, or its deciles where it has more than 20 values.
    """
    if groups is not None:
        return by_group(groups, count, salt)
    strata: Sequence[object] = targets
    if numeric and len(set(targets)) > STRATA:
        strata = _deciles([float(value) for value in targets])
    names = {name: place for place, name in enumerate(sorted(set(strata), key=str))}
    rows = sorted(shuffled(len(targets), salt), key=lambda row: names[strata[row]])
    taken, left = stride(rows, count)
    return sorted(taken), sorted(left)


def carve(
    train: pd.DataFrame,
    test: pd.DataFrame,
    rows: tuple[list[int], list[int]],
    id_column: str,
    salt: str,
    group: str | None = None,
) -> Carved:
    """Move the chosen rows from train to test; see the module's text for what is hidden how.

    Args:
        train: the author's training rows as text, with all columns of `test`.
        test: the author's test rows as text.
        rows: training rows to carve, and those to keep.
        id_column: the column that names rows in both.
        salt: fixes every draw.
        group: the group's column, if it is in the test file.
    """
    import pandas as pd

    taken, kept = rows
    features = [name for name in test.columns if name != id_column]
    alike = pd.concat([train[features], test[features]], ignore_index=True)
    for name in features:
        alike[name] = one_style(alike[name].tolist())
    old = len(train)
    pool = [*taken, *range(old, old + len(test))]
    drawn = ordered(pool, salt + "/test")
    joined = alike.iloc[drawn].reset_index(drop=True)
    ids = [*test[id_column], *fresh(list(test[id_column]), len(taken), set(train[id_column]), salt)]
    joined.insert(
        list(test.columns).index(id_column),
        id_column,
        [ids[place] for place in shuffled(len(ids), salt + "/ids")],
    )
    if group in features:
        joined[group] = _redealt(joined[group].tolist(), salt + "/groups")
    left = train.iloc[kept].reset_index(drop=True)
    left[features] = alike.iloc[kept].reset_index(drop=True)
    left[id_column] = train[id_column].iloc[: len(kept)].to_numpy()
    came = [(row < old, row if row < old else row - old) for row in drawn]
    return Carved(left, joined, came)


def fresh(ids: Sequence[str], count: int, taken: Collection[str], salt: str) -> list[str]:
    """New ids of the shape of `ids`, none of them in `ids` or `taken`."""
    used = {*ids, *taken}
    found: list[str] = []
    tries = 0
    low, span = 0, 0
    whole = all(map(is_whole, ids))
    if whole:
        low = min(map(int, ids))
        # At least half of the range is free, so that drawing from it ends soon.
        span = max(max(map(int, ids)) - low + 1, 2 * (len(used) + count))
    while len(found) < count:
        draw = _number(f"{salt}/fresh:{tries}")
        model = ids[draw % len(ids)]
        # A shape with little room, such as two digits, is left after many vain tries.
        new = str(low + draw % span) if whole else _like(model, draw, tries // (50 * (count + 1)))
        tries += 1
        if new not in used:
            used.add(new)
            found.append(new)
    return found


def _like(model: str, draw: int, longer: int) -> str:
    """A text with other letters and digits in the same places, some digits longer if need be."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    result: list[str] = []
    for sign in model + "0" * longer:
        draw, digit = draw // 26, draw % 26
        draw = draw or _number(f"{model}:{len(result)}")
        if sign.isdigit():
            result.append(str(digit % 10))
        elif sign.isalpha():
            result.append(letters[digit].upper() if sign.isupper() else letters[digit])
        else:
            result.append(sign)
    return "".join(result)


def _redealt(names: list[str], salt: str) -> list[str]:
    distinct = sorted(set(names))
    dealt = [distinct[place] for place in shuffled(len(distinct), salt)]
    new = dict(zip(distinct, dealt, strict=True))
    return [new[name] for name in names]


def _deciles(values: list[float]) -> list[int]:
    ranked = sorted(range(len(values)), key=lambda row: (values[row], row))
    bins = [0] * len(values)
    for rank, row in enumerate(ranked):
        bins[row] = rank * DECILES // len(values)
    return bins


def _number(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest(), "big")
