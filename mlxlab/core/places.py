"""Where in a package's own files something is written, or an error came through."""

from __future__ import annotations

import inspect
import sys
import traceback
from collections.abc import Iterator
from functools import cached_property, partial
from importlib.util import find_spec
from pathlib import Path


def package_of(module: str) -> Path | None:
    """The folder of the package that a module is of, or its file; None where it has none.

    Nothing is imported: what failed while it was imported has files all the same.
    """
    return files_of(module.partition(".")[0]) or files_of(module)


def files_of(module: str) -> Path | None:
    """The folder of a module that is a package, else its file; None where it has none."""
    file = getattr(sys.modules.get(module), "__file__", None) or _origin(module)
    if not file:
        return None
    return Path(file).parent if Path(file).stem == "__init__" else Path(file)


def _origin(name: str) -> str | None:
    if "." in name or name in sys.modules:
        return None
    spec = find_spec(name)
    return spec.origin if spec is not None and spec.has_location else None


def place_in(error: BaseException, *own: Path) -> str:
    """The last line of an author's that an error, or what it came of, went through.

    Args:
        error: what was raised.
        own: packages' folders, or modules' files.

    Returns:
        `capped/sandbox.py:55`, or the empty text.
    """
    place = ""
    for each in _chain(error):
        place = crossed(each, *own)[1] or place
    return place


def crossed(error: BaseException, *own: Path) -> tuple[Path | None, str]:
    """As `place_in`, for the error alone, with which of the author's it is."""
    for frame, line in reversed(list(traceback.walk_tb(error.__traceback__))):
        path = Path(frame.f_code.co_filename)
        for each in own:
            if path.is_relative_to(each):
                return each, _told(path, each, line)
    return None, ""


def line_now(own: Path, below: int = 1) -> str:
    """The innermost line in `own` that is being carried out; the empty text where none is.

    Args:
        own: a package's folder, or a module's file.
        below: how many calls are left out, this one among them.
    """
    for frame, line in traceback.walk_stack(sys._getframe(below)):
        path = Path(frame.f_code.co_filename)
        if path.is_relative_to(own):
            return _told(path, own, line)
    return ""


def written_in(thing: object, own: Path) -> str:
    """The line where a class or function begins, or a module's file; empty: it is not in `own`."""
    try:
        if inspect.ismodule(thing):
            path = Path(thing.__file__ or "")
            return _told(path, own) if path.is_relative_to(own) else ""
        thing = _inner(thing)
        found = inspect.unwrap(thing) if callable(thing) else type(thing)
        path = Path(inspect.getsourcefile(found) or "")
        line = inspect.getsourcelines(found)[1] if path.is_relative_to(own) else 0
        return _told(path, own, line) if line else ""
    except Exception:  # built in, without source, or an author's class that answers for itself
        return ""


def _inner(thing: object) -> object:
    """The function of a property, or of a class method."""
    if isinstance(thing, property):
        return thing.fget
    if isinstance(thing, cached_property | partial):
        return thing.func
    return thing.__func__ if isinstance(thing, staticmethod | classmethod) else thing


def _told(path: Path, own: Path, line: int | None = None) -> str:
    told = path.relative_to(own.parent).as_posix()
    return told if line is None else f"{told}:{line}"


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An error and what it came of, down to the first one."""
    seen: set[int] = set()
    now: BaseException | None = error
    while now is not None and id(now) not in seen:
        seen.add(id(now))
        yield now
        now = now.__cause__ or (None if now.__suppress_context__ else now.__context__)
