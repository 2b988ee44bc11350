"""A pipeline's folder: one process at a time, and each stage's own folder below it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import BaseModel

from mlxlab.api.pipeline.record import PipelineRecord, StageRecord
from mlxlab.core.errors import RecordError, UsageError
from mlxlab.core.removal import remove_tree

STAGE, PIPELINE = "stage.json", "pipeline.json"


class PipelineFolder:
    """Reads and writes what a pipeline keeps."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def of(self, stage: str) -> Path:
        """A stage's own folder."""
        return self.path / stage

    def relative(self, path: Path | str) -> str:
        """A path as results hold it: a pipeline's folder may be moved."""
        found = Path(path).resolve()
        root = self.path.resolve()
        return str(found.relative_to(root)) if found.is_relative_to(root) else str(found)

    def pipeline(self) -> PipelineRecord:
        """pipeline.json; raises RecordError."""
        path = self.path / PIPELINE
        try:
            return PipelineRecord.model_validate_json(path.read_bytes())
        except OSError as error:
            raise RecordError(f"{self.path} holds no pipeline: it has no {PIPELINE}.") from error
        except ValueError as error:
            raise RecordError(f"{path} cannot be read: {str(error).splitlines()[0]}.") from error

    def stage(self, name: str) -> StageRecord | None:
        """A stage's record; None where it was not begun, or its record is damaged."""
        try:
            return StageRecord.model_validate_json((self.of(name) / STAGE).read_bytes())
        except (OSError, ValueError):
            return None

    def write(self, record: PipelineRecord) -> None:
        """Replace pipeline.json in one move."""
        _replace(self.path / PIPELINE, record)

    def write_stage(self, record: StageRecord) -> None:
        """Replace a stage's record in one move."""
        self.of(record.stage).mkdir(parents=True, exist_ok=True)
        _replace(self.of(record.stage) / STAGE, record)

    def clear(self, stage: str) -> None:
        """Remove what a stage left: it is done again."""
        if self.of(stage).exists():
            remove_tree(self.of(stage))


@contextmanager
def held(path: Path) -> Iterator[PipelineFolder]:
    """Be the only process that runs this pipeline.

    Raises:
        RecordError: another one does.
        UsageError: the folder cannot be made or written.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        lock = os.open(path / ".lock", flags, 0o644)
    except OSError as error:
        what = error.strerror or str(error)
        raise UsageError(f"{path} is no folder that a pipeline could go to: {what}.") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        raise RecordError(f"Another process runs the pipeline in {path}.") from error
    try:
        yield PipelineFolder(path)
    finally:
        os.close(lock)


def _replace(path: Path, record: BaseModel) -> None:
    new = path.with_name(f"{path.name}.new")
    new.write_text(record.model_dump_json(by_alias=True, indent=1) + "\n")
    new.replace(path)
