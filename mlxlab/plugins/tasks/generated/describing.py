"""What an agent is told of a generated table: nothing of how it was made."""

from __future__ import annotations

from mlxlab.core.task import MetricInfo
from mlxlab.plugins.tasks.generated.making import PRIVATE, PUBLIC, TARGET, Table
from mlxlab.plugins.tasks.generated.probes import probes

DESCRIPTION = """\
# {title}

Each row of a table has {columns}, and an answer that depends on some of them and on chance.
Where the numbers come from is not known; their names and units mean nothing.

## Files
- `train.csv`: {train} rows with the answer in the column `{target}`.
- `test.csv`: {test} rows without it.
- `sample_submission.csv`: a submission of the right form, with one constant as prediction.

## Columns
- `id`: number of the row, without meaning.
{listed}
- `{target}` (train.csv only): {answer}.

## Submission
`submission.csv` with the columns `id,{target}`: one row for each row of `test.csv`, in any order.
{wanted}

## Metric
{metric}: {about} {word} is better.
"""
WANTED = {
    "accuracy": "`y` is the predicted class.",
    "balanced_accuracy": "`y` is the predicted class.",
    "log_loss": "`y` is the predicted probability of class 1.",
    "auc": "`y` is the predicted probability of class 1, or any number that grows with it.",
    "average_precision": "`y` is the predicted probability of class 1, or any number that grows "
    "with it.",
}


def title(made: Table) -> str:
    """What is asked for, in a few words."""
    return "A number for each row" if made.kind == "regression" else "A class for each row"


def description(made: Table, metric: MetricInfo) -> str:
    """The task in prose."""
    frame = made.frame.drop(columns=TARGET)
    numbers = list(frame.select_dtypes("number"))
    texts = [name for name in frame if name not in numbers]
    gaps = "; some cells are empty" if frame[numbers].isna().to_numpy().any() else ""
    listed = [f"- `{numbers[0]}` to `{numbers[-1]}`: numbers{gaps}."]
    listed += [f"- `{name}`: one of {frame[name].nunique()} categories." for name in texts]
    categories = f" and {len(texts)} categories" if texts else ""
    classes = made.frame[TARGET].nunique()
    return DESCRIPTION.format(
        title=title(made),
        columns=f"{len(numbers)} numbers{categories}",
        train=len(made.split.train),
        test=PUBLIC + PRIVATE,
        target=TARGET,
        listed="\n".join(listed),
        answer="a number" if made.kind == "regression" else f"a class from 0 to {classes - 1}",
        wanted=WANTED.get(metric.name, "`y` is a number."),
        metric=metric.name,
        about=metric.description,
        word="Lower" if metric.direction == "minimize" else "Higher",
    )


def features(made: Table) -> dict[str, float | str]:
    """The training rows in numbers; nothing here takes more than `train.csv` to know.

    `rows`, `num` and `cat` (columns), `levels` (of the largest category), `miss` (share of empty
    cells), then `classes` and `top` (the largest class's share) or `skew` (of the target), then
    the three probes.
    """
    import numpy as np

    train = made.frame.iloc[made.split.train]
    seen, answer = train.drop(columns=TARGET), train[TARGET].to_numpy()
    texts = list(seen.select_dtypes(exclude="number"))
    found: dict[str, float | str] = {
        "rows": len(train),
        "num": seen.shape[1] - len(texts),
        "cat": len(texts),
        "levels": max((seen[name].nunique() for name in texts), default=0),
        "miss": _two(seen.isna().to_numpy().mean()),
    }
    if made.kind == "regression":
        standard = (answer - answer.mean()) / answer.std()
        found["skew"] = _two((standard**3).mean())
        columns = standard[:, None]
    else:
        classes = sorted(set(answer))
        columns = (answer[:, None] == np.asarray(classes)).astype(float)
        found |= {"classes": len(classes), "top": _two(columns.mean(axis=0).max())}
    return found | dict(probes(seen, columns))


def _two(value: float) -> float:
    """Two digits behind the point."""
    return round(float(value), 2)
