"""The training's folder: train.json and train.jsonl, written by one process at a time."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mlxlab.api.training.record import TrainManifest
from mlxlab.core.errors import RecordError, UsageError
from mlxlab.core.jsonl import JsonlWriter, read_jsonl
from mlxlab.core.records import SCHEMA
from mlxlab.core.removal import remove_tree
from mlxlab.core.trainer import CHECKPOINTS, TrainProgress

_MADE_FIRST = ("base", CHECKPOINTS, "samples.jsonl")
"""What trainers make before, or without, a step."""


class TrainFolder:
    """Reads a training, one that goes on too."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def begun(self) -> bool:
        """Whether there is a training in it."""
        return (self.path / "train.json").is_file()

    @property
    def kept(self) -> bool:
        """Whether a step is recorded, here or in the training that taught the base."""
        logs = [*self.path.glob("train.jsonl"), *self.path.glob("*/train.jsonl")]
        return any(log.stat().st_size for log in logs)

    def manifest(self) -> TrainManifest:
        """train.json; raises RecordError if it is none, or one of another schema."""
        path = self.path / "train.json"
        try:
            raw = json.loads(path.read_bytes())
            found = raw.get("schema") if isinstance(raw, dict) else None
            if found != SCHEMA:
                raise RecordError(f"{path} has schema {found}; this version reads schema {SCHEMA}.")
            return TrainManifest.model_validate(raw)
        except OSError as error:
            raise RecordError(f"{self.path} is no training: it has no train.json.") from error
        except (ValueError, RecursionError) as error:
            first = (str(error).splitlines() or [type(error).__name__])[0]
            raise RecordError(f"{path} cannot be read: {first}.") from error

    def write(self, manifest: TrainManifest) -> None:
        """Replace train.json in one move; for the process that trains."""
        new = self.path / "train.json.new"
        new.write_text(manifest.model_dump_json(by_alias=True, indent=1) + "\n")
        new.replace(self.path / "train.json")

    def progress(self) -> list[TrainProgress]:
        """The optimizer steps, each once."""
        return read_jsonl(self.path / "train.jsonl", TrainProgress)


class TrainWriter(TrainFolder):
    """Writes a training."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._log = JsonlWriter(path / "train.jsonl")
        self.steps = self.progress()

    @property
    def scratch(self) -> Path:
        """Where sandboxes work; it goes when the training is closed."""
        return self.path / "scratch"

    def add(self, progress: TrainProgress) -> bool:
        """Append a step; False where it was written before the training was taken up again."""
        if self.steps and progress.step <= self.steps[-1].step:
            return False
        self._log.append(progress)
        self.steps.append(progress)
        return True

    def clear(self) -> None:
        """Remove what a training left that ended before its first step."""
        for name in _MADE_FIRST:
            remove_tree(self.path / name)

    def sweep(self) -> None:
        """Remove what sandboxes left, those of a killed process too."""
        with suppress(OSError):
            remove_tree(self.scratch)

    def close(self) -> None:
        """Close what it wrote."""
        self.sweep()
        self._log.close()


@contextmanager
def written(path: Path) -> Iterator[TrainWriter]:
    """Be the only process that trains into a folder.

    Raises:
        RecordError: another one does.
        UsageError: the folder cannot be made or written.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        lock = os.open(path / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
    except OSError as error:
        what = error.strerror or str(error)
        raise UsageError(f"{path} is no folder that a training could go to: {what}.") from error
    try:
        _take(lock, path)
        writer = TrainWriter(path.absolute())  # a trainer may go to another folder
        try:
            writer.sweep()
            yield writer
        finally:
            writer.close()
    finally:
        os.close(lock)


def _take(lock: int, path: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise RecordError(f"Another process trains into {path}.") from error
