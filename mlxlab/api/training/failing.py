"""What ended a training, in words for people."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from pathlib import Path

from mlxlab.core.boundary import cause_of, whose
from mlxlab.core.errors import MlxError, PluginError, RecordError
from mlxlab.core.records import ComponentRef

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FULL_WORDS = ("no space left", "file too large", "disk quota exceeded", "storage full")
"""Writers of weights tell of the disk in texts of their own."""


def told(error: BaseException, trainer: ComponentRef, folder: Path) -> BaseException:
    """The error that people are shown: this one, or what it means."""
    if isinstance(error, MlxError | KeyboardInterrupt | GeneratorExit):
        return error
    if any(_full(cause) for cause in _causes(error)):
        return RecordError(f"{folder} cannot be written: the disk is full.", "Make room.")
    if isinstance(error, OSError) or trainer.version.startswith("mlxlab "):
        return error
    return PluginError(f"{whose(trainer)}: train failed: {cause_of(error)}.")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _full(error: BaseException) -> bool:
    if isinstance(error, OSError) and error.errno in _FULL:
        return True
    return any(words in str(error).lower() for words in _FULL_WORDS)
