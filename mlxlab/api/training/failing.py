"""What ended a training, in words for people."""

from __future__ import annotations

import errno
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from mlxlab.core.boundary import about, cause_of, foreign, whose
from mlxlab.core.errors import MlxError, RecordError, broken
from mlxlab.core.records import ComponentRef

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FULL_WORDS = ("no space left", "file too large", "disk quota exceeded", "storage full")
"""Writers of weights tell of the disk in texts of their own."""


def told(
    error: BaseException, trainer: ComponentRef, folder: Path, interrupted: bool = True
) -> BaseException:
    """The error that people are shown: this one, or what it means.

    Args:
        error: what ended the training.
        trainer: whose code that was in.
        folder: the training's own.
        interrupted: whether somebody interrupted it, so that a KeyboardInterrupt is theirs.
    """
    who = whose(trainer)
    if isinstance(error, MlxError) or (isinstance(error, KeyboardInterrupt) and interrupted):
        return error
    if any(_full(cause, words=not foreign(who)) for cause in _causes(error)):
        return RecordError(f"{folder} cannot be written: the disk is full.", "Make room.")
    if not foreign(who) or (isinstance(error, OSError) and about(error, folder)):
        return error
    return broken(who, "train", f"failed: {cause_of(error)}")


@contextmanager
def interrupts() -> Iterator[list[int]]:
    """The signals that interrupt, as they come; other KeyboardInterrupts are somebody's own.

    Only the main thread hears of signals; what else handles them goes on doing so.
    """
    came: list[int] = []
    main = threading.current_thread() is threading.main_thread()
    asked = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP) if main else ()
    before = {number: found for number in asked if callable(found := signal.getsignal(number))}

    def heard(number: int, frame: FrameType | None) -> None:
        came.append(number)
        before[signal.Signals(number)](number, frame)

    for number in before:
        signal.signal(number, heard)
    try:
        yield came
    finally:
        for number, earlier in before.items():
            if signal.getsignal(number) is heard:
                signal.signal(number, earlier)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _full(error: BaseException, words: bool) -> bool:
    """Whether it tells of a full disk: by its number, or in the words of a library."""
    if isinstance(error, OSError) and error.errno in _FULL:
        return True
    return words and any(each in str(error).lower() for each in _FULL_WORDS)
