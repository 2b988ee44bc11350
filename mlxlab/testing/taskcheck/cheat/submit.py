"""Submissions out of predictions, in each form that a grader may want."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .leaks import Leak
from .own import Own, goal, id_keys

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray


def variants(own: Own, leak: Leak) -> dict[str, pd.DataFrame]:
    """The same predictions as numbers (value) and as the likeliest classes (label)."""
    base = _aligned_sample(own)
    if leak.copied:
        label, value = base.copy(), base.copy()
        for name, column in leak.copied.items():
            label[name] = _text(column).where(column.notna(), base[name])
            value[name] = column.where(column.notna(), base[name])
        return {"label": label, "value": value}
    assert leak.predicted is not None
    frames = {"value": base.copy(), "label": base.copy()}
    at = 0
    for name in own.contract.target:
        assert own.known is not None
        parts, classes = goal(own.known[name])
        share = leak.predicted[:, at : at + parts.shape[1]]
        at += parts.shape[1]
        for form, frame in frames.items():
            _fill(frame, name, share, parts.mean(axis=0), classes, form)
    return frames


def test_ids(own: Own) -> pd.Series:
    """The ids of the test rows in their order, written as in the example submission."""
    return _aligned_sample(own)[own.contract.id_column]


def _fill(
    frame: pd.DataFrame,
    name: str,
    share: NDArray[Any],
    usual: NDArray[Any],
    classes: list[Any],
    form: str,
) -> None:
    """Write one target's predictions; rows without one get what is usual in training rows."""
    import numpy as np

    share = np.where(np.isnan(share), usual, share)
    if not classes:
        frame[name] = share[:, 0]
        return
    share = np.clip(share, 0.001, 0.999)
    share = share / share.sum(axis=1, keepdims=True)
    for place, label in enumerate(classes):
        for column in frame.columns[1:]:
            if column != name and str(column).endswith(str(label)):
                frame[column] = share[:, place]
    if name not in frame:
        return
    numeric = all(isinstance(label, (int, float)) for label in classes)
    if form == "value" and numeric:
        frame[name] = share @ np.array(classes, dtype=float)
    else:
        frame[name] = [str(classes[place]) for place in share.argmax(axis=1)]


def _aligned_sample(own: Own) -> pd.DataFrame:
    """The example submission in the order of the test rows."""
    ids = id_keys(own.sample[own.contract.id_column])
    place = {key: row for row, key in enumerate(ids.tolist())}
    rows = [place[key] for key in own.id_keys[own.train :].tolist()]
    names = [own.contract.id_column, *own.contract.predicted]
    return own.sample.iloc[rows].reset_index(drop=True)[names]


def _text(column: pd.Series) -> pd.Series:
    return column.astype(str).str.replace(r"\.0$", "", regex=True)
