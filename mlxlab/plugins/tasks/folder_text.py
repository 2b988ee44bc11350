"""The text that agents read about a folder task."""

from __future__ import annotations

from pathlib import Path

from mlxlab.core.errors import TaskError
from mlxlab.core.task import MetricInfo, SubmissionContract
from mlxlab.plugins.tasks.task_file import TaskFile

TEMPLATE = """\
# {title}

Predict {targets} for each row of `test.csv`.

## Files
- `train.csv`: rows with their true {targets}.
- `test.csv`: rows without it, named by the column `{id_column}`.
- `sample_submission.csv`: a submission of the right form.
{files}
## Submission
`{path}` with the columns `{columns}`: one row for each of the {rows} rows of `test.csv`, in any
order.

## Metric
{metric}: {description} {direction} is better.
"""


def describe(
    folder: Path, stated: TaskFile, contract: SubmissionContract, metric: MetricInfo
) -> str:
    """The author's description, or one made from what task.toml states."""
    path = folder / stated.description
    if not path.resolve().is_relative_to(folder.resolve()):
        raise TaskError(f"{path}, the description, lies outside the task's folder.")
    if path.is_file():
        try:
            return path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            raise TaskError(f"{path} is not UTF-8 text.", "Save it as UTF-8.") from None
    if "description" in stated.model_fields_set:
        raise TaskError(f"{path}, the description, is missing.")
    return TEMPLATE.format(
        title=stated.title or stated.id or folder.resolve().name,
        targets=" and ".join(f"`{name}`" for name in contract.columns),
        id_column=contract.id_column,
        files="".join(f"- `{name}`\n" for name in stated.files),
        path=contract.path,
        columns=",".join([contract.id_column, *contract.columns]),
        rows=contract.rows,
        metric=metric.name,
        description=metric.description,
        direction="Higher" if metric.direction == "maximize" else "Lower",
    )
