"""Every failure as one line on stderr and an exit status.

Standard library only: `mlx --help` imports this module.
"""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

import mlxlab
from mlxlab.cli.text import plain
from mlxlab.core.errors import MlxError, PluginError

if TYPE_CHECKING:
    from mlxlab.core.entries import Entry

_OWN = str(Path(mlxlab.__file__).parent) + os.sep
_LIBRARY = str(Path(os.__file__).parent) + os.sep
INTERRUPTED = 130
PIPE_CLOSED = 141


def report(error: BaseException) -> int:
    """Print one line for people, the traceback only if asked; returns the exit status."""
    debug(error)
    told = _for_people(error)
    print("mlx:", plain(_line(told, error)), file=sys.stderr)
    return told.exit_code


def line_of(error: BaseException) -> str:
    """The line that `report` prints."""
    return _line(_for_people(error), error)


def place_of(error: BaseException | None) -> str:
    """` (at a/b.py:55)`: the last line of a plugin's that an error, or its cause, went through."""
    place = ""
    while error is not None:
        place = _last_frame(error)[0] or place
        error = error.__cause__
    return place and f" (at {place})"


def debug(error: BaseException) -> None:
    """Print the traceback if MLX_DEBUG asks for it: a plugin's own first, from its first frame."""
    if os.environ.get("MLX_DEBUG", "0") in {"", "0"}:
        return
    cause = error.__cause__
    if isinstance(error, PluginError) and cause is not None:
        own = cause.__traceback__
        while own is not None and _ours(own.tb_frame.f_code.co_filename):
            own = own.tb_next
        print("The plugin's own traceback:", file=sys.stderr)
        for line in traceback.format_exception(type(cause), cause, own or cause.__traceback__):
            print(plain(line, lines=True), end="", file=sys.stderr)
        print("\nHow mlxlab came there:", file=sys.stderr)
    traceback.print_exception(error)


def _ours(file: str) -> bool:
    """Whether a frame is mlxlab's, or of the library that brought it from there to the plugin."""
    return file.startswith((_OWN, _LIBRARY, "<frozen ")) and "site-packages" not in (
        file.removeprefix(_OWN)
    )


def _for_people(error: BaseException) -> MlxError:
    if isinstance(error, MlxError):
        return error
    if isinstance(error, OSError):
        return MlxError(f"{error.filename or 'The system'}: {error.strerror or error}.")
    cause = " ".join(traceback.format_exception_only(error)[-1].split())
    if owner := _owner(error):
        return PluginError(f"{owner} failed: {cause}.", "MLX_DEBUG=1 shows the traceback.")
    return MlxError(f"This is a bug: {cause}.", "MLX_DEBUG=1 shows the traceback.")


def _owner(error: BaseException) -> str:
    """The plugin whose code raised, or called what did; the empty text where none did."""
    _, own = _last_frame(error)
    if not own:
        return ""
    named = ", ".join(f"{one.kind} '{one.name}'" for one in own[:3])
    return f"{named} of {own[0].distribution} {own[0].version}"


def _line(told: MlxError, error: BaseException) -> str:
    return f"{told}{place_of(error)}" if isinstance(told, PluginError) else str(told)


def _last_frame(error: BaseException) -> tuple[str, list[Entry]]:
    """Where an error came last through a plugin's code, and what its package advertises."""
    from mlxlab.core.entries import HOOKS, advertised

    theirs = [entry for entry in (*advertised(), *advertised(HOOKS)) if not entry.builtin]
    for frame, line in reversed(list(traceback.walk_tb(error.__traceback__))):
        module = str(frame.f_globals.get("__name__", "")).split(".")
        own = [one for one in theirs if one.target.partition(":")[0].partition(".")[0] == module[0]]
        if own and not frame.f_code.co_filename.startswith("<"):
            file = Path(frame.f_code.co_filename).name
            inside = module if file == "__init__.py" else module[:-1]
            return f"{'/'.join([*inside, file])}:{line}", own
    return "", []
