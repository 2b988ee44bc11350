"""Append-only files of JSON lines that survive a kill at any moment."""

from __future__ import annotations

import os
from datetime import datetime
from json import dumps  # bound now, whatever a plugin replaces later
from math import isfinite
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticSerializationError

from mlxlab.core.errors import RecordError

M = TypeVar("M", bound=BaseModel)


class JsonlWriter:
    """Appends records, each whole line in one write.

    Opening drops a torn last line, so that what is appended starts on a line of its own.
    """

    def __init__(self, path: Path, mode: int = 0o644) -> None:
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, mode)
        os.ftruncate(self._fd, _whole(self._fd))

    def append(self, record: BaseModel, *, durable: bool = False) -> None:
        """Write one line; `durable` waits until the disk holds it, as a paid call deserves."""
        data = as_json(record) + b"\n"
        start = os.lseek(self._fd, 0, os.SEEK_END)
        try:
            while data:
                data = data[os.write(self._fd, data) :]
        except OSError:
            os.ftruncate(self._fd, start)
            raise
        if durable:
            os.fdatasync(self._fd)

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def as_json(record: BaseModel) -> bytes:
    """One line of JSON that reads back, also of values that JSON has no words for.

    Models and plugins produce half characters and objects of their own; such a value is written
    as near as can be, since a paid answer must not be lost for it.
    """
    try:
        return record.model_dump_json(by_alias=True).encode()
    except (PydanticSerializationError, UnicodeError):
        plain = scrubbed(record.model_dump(mode="python", by_alias=True))
        return dumps(plain, default=str).encode()


def scrubbed(value: Any) -> Any:
    """A value whose texts hold no half characters."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {scrubbed(str(key)): scrubbed(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [scrubbed(item) for item in value]
    if isinstance(value, float) and not isfinite(value):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    return value


def _whole(fd: int) -> int:
    """The length of the file up to and with its last newline."""
    end = os.lseek(fd, 0, os.SEEK_END)
    while end > 0:
        start = max(0, end - (1 << 16))
        newline = os.pread(fd, end - start, start).rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        end = start
    return 0


def read_jsonl(path: Path, model: type[M]) -> list[M]:
    """Read every whole line; a torn last line and a missing file count as nothing.

    Raises:
        RecordError: a whole line is not a record of this kind, with file and line number.
    """
    if not path.is_file():
        return []
    lines = path.read_bytes().split(b"\n")[:-1]
    records = []
    for number, line in enumerate(lines, 1):
        try:
            records.append(model.model_validate_json(line))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            what = f"{where}: {first['msg']}" if where else first["msg"]
            raise RecordError(f"{path}, line {number}: {what}.") from error
    return records
