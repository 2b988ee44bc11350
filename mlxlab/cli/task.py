"""`mlx tasks show TASK`."""

from __future__ import annotations

import json
from collections.abc import Iterator

from rich.text import Text

from mlxlab.cli.console import Console
from mlxlab.cli.summary import Row, print_rows
from mlxlab.cli.table import print_json
from mlxlab.cli.text import duration, plain, score
from mlxlab.core.components import task_spec
from mlxlab.core.registry import Registry
from mlxlab.core.task import TaskInfo


def show_task(text: str, as_json: bool) -> int:
    """Make the task and print all that an agent may know of it."""
    registry = Registry.installed()
    info = registry.create("task", task_spec(text, registry)).instance.info
    if as_json:
        print_json(json.loads(info.model_dump_json()))
        return 0
    print_rows(list(_rows(info)))
    console = Console(highlight=False)
    console.print()
    console.print(Text(plain(info.description.strip(), lines=True)), soft_wrap=True)
    return 0


def _rows(info: TaskInfo) -> Iterator[Row]:
    metric = info.metric
    word = "higher" if metric.direction == "maximize" else "lower"
    yield "task", f"{info.id}: {info.title}", "bold"
    yield "kind", info.modality, ""
    yield "metric", f"{metric.name}, {word} is better", ""
    if metric.description:
        yield "", metric.description, ""
    rows = f"{info.train_rows} train, {info.public_rows} public, {info.private_rows} private"
    yield "rows", rows, ""
    yield "target", ", ".join(info.target), ""
    yield "files", ", ".join(info.files), ""
    submission = info.submission
    columns = ", ".join((submission.id_column, *submission.columns))
    yield "submission", f"{submission.path}: {columns}; {submission.rows} rows", ""
    yield "baseline", score(info.baseline), ""
    error = info.standard_error
    stated = f" (standard error {score(error)})" if error is not None else ""
    yield "reference", score(info.reference) + stated, ""
    if info.m_init is not None or info.m_best is not None:
        yield "reward", f"m_init {score(info.m_init)}, m_best {score(info.m_best)}", ""
    elif info.m_reason:
        yield "reward", info.m_reason, ""
    yield "by default", f"{info.steps} steps, {duration(info.exec_timeout_s)} an execution", ""
    yield "source", info.source or "not stated", ""
    yield "licence", info.licence or "not stated", ""
    yield "data", info.data_hash[:16], ""
