"""Checks of a task's public files and stated facts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from mlxlab.core.inputs import named
from mlxlab.core.task import TaskInfo
from mlxlab.testing.taskcheck.finding import Finding, failed, passed
from mlxlab.testing.taskcheck.hiding import unmatched
from mlxlab.testing.taskcheck.subject import Subject, score

AGREE = "info.files and the folder must agree"


def files_repeat(subject: Subject) -> Finding:
    """Two preparations write the same bytes, and the files that the task names."""
    check = "files-repeat"
    first, second = _digests(subject.inputs), _digests(subject.repeat)
    names = subject.info.files
    for name in sorted(first.keys() | second.keys()):
        if first.get(name) != second.get(name):
            return failed(check, f"{name} is not the same each time it is prepared.")
    for name in sorted({*names, *first}):
        folder = name.endswith("/") and any(path.startswith(name) for path in first)
        if name not in first and not folder:
            return failed(check, f"{name} is named but not written: {AGREE}.")
        if not named(name, names):
            return failed(check, f"{name} is written but not named: {AGREE}.")
    size = sum(path.stat().st_size for path in subject.inputs.rglob("*") if path.is_file())
    return passed(check, f"{len(first)} public files of {size} bytes are the same twice.")


def info_stable(subject: Subject) -> Finding:
    """Two instances say the same of themselves."""
    check = "info-stable"
    first, second = subject.info.model_dump(), subject.again.info.model_dump()
    differ = [name for name, value in first.items() if value != second[name]]
    if differ:
        return failed(check, f"Two instances differ in {', '.join(differ)}.")
    if subject.task.info != subject.info:
        return failed(check, "Two looks at one instance's info differ.")
    return passed(check, f"Two instances agree; the data is {subject.info.data_hash[:16]}.")


def info_complete(subject: Subject) -> Finding:
    """What is stated is there and does not contradict itself."""
    check, info = "info-complete", subject.info
    if found := list(_gaps(info)):
        return failed(check, "; ".join(found) + ".")
    word = "higher" if info.metric.direction == "maximize" else "lower"
    scale = f"baseline {score(info.baseline)}, reference {score(info.reference)}"
    lost = unmatched(subject.task.hidden)
    hidden = f"; what hidden names is not installed here: {', '.join(lost)}" if lost else ""
    return passed(check, f"{info.metric.name}, {word} is better: {scale}{hidden}.")


def _gaps(info: TaskInfo) -> Iterator[str]:
    for name in ("id", "title", "description", "data_hash"):
        if not getattr(info, name).strip():
            yield f"info.{name} is empty"
    if info.submission.form == "table":
        yield from _table_gaps(info)
    sample = info.submission.sample
    if sample and not named(sample, info.files):
        yield f"the sample {sample} is no public file"
    yield from _scale(info, "baseline", info.baseline, "reference", info.reference)
    yield from _scale(info, "m_init", info.m_init, "m_best", info.m_best)
    if (info.m_init is None) != (info.m_best is None):
        yield "of m_init and m_best one is missing"
    if info.m_init is None and not info.m_reason:
        yield "neither m_init and m_best nor a reason why there are none is stated"
    if info.steps < 1 or info.exec_timeout_s <= 0:
        yield "the default budget is empty"


def _table_gaps(info: TaskInfo) -> Iterator[str]:
    contract = info.submission
    if not contract.columns or not info.target:
        yield "no column to predict is named"
    if info.private_rows < 1:
        yield "no private row counts"
    if contract.rows != info.public_rows + info.private_rows:
        yield f"a submission has {contract.rows} rows, public and private rows are " + str(
            info.public_rows + info.private_rows
        )


def _scale(
    info: TaskInfo, low: str, worse: float | None, high: str, better: float | None
) -> Iterator[str]:
    if worse is not None and better is not None and not info.metric.better(better, worse):
        yield f"{high} {score(better)} is not better than {low} {score(worse)}"
    for name, value in ((low, worse), (high, better)):
        least, most = info.metric.low, info.metric.high
        below = value is not None and least is not None and value < least
        above = value is not None and most is not None and value > most
        if below or above:
            yield f"{name} {score(value)} lies outside the metric's range"


def _digests(folder: Path) -> dict[str, str]:
    found = {}
    for path in sorted(filter(Path.is_file, folder.rglob("*"))):
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        found[path.relative_to(folder).as_posix()] = digest
    return found
