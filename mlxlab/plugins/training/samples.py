"""OUT/samples.jsonl: what each optimizer step sampled, and what came of it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from mlxlab.core.jsonl import JsonlWriter, read_jsonl
from mlxlab.core.records import Record, Status

SAMPLES = "samples.jsonl"


class Sample(Record):
    """One sampled answer.

    `reward` is None where there was none to train on, and `status` where nothing was carried out;
    `problem` then says why.
    """

    step: int
    state: str
    text: str
    reward: float | None = None
    status: Status | None = None
    score: float | None = None
    cached: bool = False
    problem: str = ""


class Samples:
    """Appends to a training's samples.

    Args:
        out: the training's folder.
        after: the step that a training goes on from: what was sampled later is dropped, since it
            will be sampled again.
    """

    def __init__(self, out: Path, after: int = 0) -> None:
        path = out / SAMPLES
        _drop_later(path, after)
        self._writer = JsonlWriter(path)

    def add(self, rows: Iterable[Sample]) -> None:
        """Write one line for each sample."""
        for row in rows:
            self._writer.append(row)

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        self._writer.close()


def read_samples(out: Path) -> list[Sample]:
    """What a training sampled, in its order."""
    return read_jsonl(out / SAMPLES, Sample)


def _drop_later(path: Path, after: int) -> None:
    if not path.is_file():
        return
    kept = [sample for sample in read_jsonl(path, Sample) if sample.step <= after]
    new = path.with_name(f".{path.name}.new")
    new.write_text("".join(sample.model_dump_json() + "\n" for sample in kept))
    new.replace(path)
