"""Where in an author's own files an error came from."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from pathlib import Path


def place_in(error: BaseException, own: Path) -> str:
    """The last line of an author's that an error came through: `capped/sandbox.py:55`.

    Args:
        error: what a check raised, from whatever the component raised.
        own: the package's folder, or the file of a module.
    """
    found = ""
    for each in _chain(error):
        for frame, line in traceback.walk_tb(each.__traceback__):
            path = Path(frame.f_code.co_filename)
            if path.is_relative_to(own):
                found = f"{path.relative_to(own.parent).as_posix()}:{line}"
    return found


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An error and what it came of, down to the first one."""
    seen: set[int] = set()
    now: BaseException | None = error
    while now is not None and id(now) not in seen:
        seen.add(id(now))
        yield now
        now = now.__cause__ or (None if now.__suppress_context__ else now.__context__)
