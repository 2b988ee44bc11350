"""`mlx runs export`: rows as JSON lines or as Parquet, or states as another trainer reads them."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from mlxlab.api import RunFolder
from mlxlab.cli.records.rows import Row, Schema, Type, rows, schema
from mlxlab.core.boundary import SLOW, Boundary, about, cause_of, whose
from mlxlab.core.errors import MissingExtra, UsageError, broken

if TYPE_CHECKING:
    from mlxlab.core.registry import Component
    from mlxlab.core.training.examples import Corpus


def export(
    folders: Sequence[RunFolder], form: str, output: Path | None, private: bool
) -> tuple[int, int]:
    """Write every step of the runs; returns how many rows and columns.

    Raises:
        RecordError: a run cannot be read; an output file that was there stays as it was.
        MissingExtra: Parquet without pyarrow.
    """
    columns = schema([folder.manifest() for folder in folders], private)
    found = (row for folder in folders for row in rows(folder, columns))
    if output is None:
        if form == "parquet":
            raise UsageError("Parquet goes to a file.", "Name one with --output FILE.")
        return _jsonl(found, sys.stdout.buffer), len(columns)
    output.parent.mkdir(parents=True, exist_ok=True)
    new = output.with_name(output.name + ".part")
    try:
        with new.open("wb") as stream:
            write = _jsonl if form == "jsonl" else _parquet(columns)
            written = write(found, stream)
        new.replace(output)
    finally:
        new.unlink(missing_ok=True)
    return written, len(columns)


def export_states(folders: Sequence[RunFolder], form: str, output: Path | None) -> int:
    """Write the states of the runs with an exporter, by its spec; returns how many.

    Raises:
        UsageError: no folder is named, or no such exporter is installed.
        RecordError: what is there cannot be read.
        OSError: the folder cannot be written.
        PluginError: the exporter failed, or does not say how many.
    """
    from mlxlab.core.registry import Registry
    from mlxlab.core.training.examples import gather

    exporter = Registry.installed().create("export", form)
    if output is None:
        raise UsageError(f"The format {form} is a folder.", "Name one with --output FOLDER.")
    corpus = gather([folder.path for folder in folders])
    for line in corpus.skipped:
        print(line, file=sys.stderr)
    return _written(exporter, corpus, output)


def _written(exporter: Component[Any], corpus: Corpus, output: Path) -> int:
    """How many states an exporter wrote; an OSError is the folder's alone, others are its own."""
    who = whose(exporter.ref)
    try:
        with Boundary(who, "write", times=SLOW, passing=(OSError,)):
            written: object = exporter.instance.write(corpus, output)
    except OSError as error:
        if about(error, output):
            raise
        raise broken(who, "write", f"failed: {cause_of(error)}") from error
    if isinstance(written, bool) or not isinstance(written, int):
        kind = type(written).__name__
        raise broken(who, "write", f"returned {kind}, no number of states")
    return written


def _jsonl(found: Iterator[Row], stream: IO[bytes]) -> int:
    written = 0
    for row in found:
        line = json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n"
        stream.write(line.encode())
        written += 1
    stream.flush()
    return written


def _parquet(columns: Schema) -> Any:
    """A writer with the schema fixed beforehand, so that no column depends on its values."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise MissingExtra("Parquet", "parquet") from error
    message = pa.struct([("role", pa.string()), ("content", pa.string())])
    types: dict[Type, Any] = {
        "text": pa.string(),
        "whole": pa.int64(),
        "number": pa.float64(),
        "messages": pa.list_(message),
        "wholes": pa.list_(pa.int64()),
        "numbers": pa.list_(pa.float64()),
    }
    arrow = pa.schema([(name, types[kind]) for name, kind in columns.items()])

    def write(found: Iterator[Row], stream: IO[bytes]) -> int:
        written = 0
        with pq.ParquetWriter(stream, arrow) as writer:
            for row_group in _batches(found):
                writer.write_table(pa.Table.from_pylist(row_group, schema=arrow))
                written += len(row_group)
        return written

    return write


def _batches(found: Iterator[Row], size: int = 256) -> Iterator[list[Row]]:
    batch: list[Row] = []
    for row in found:
        batch.append(row)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
