"""Every failure as one line on stderr and an exit status.

Standard library only: `mlx --help` imports this module.
"""

from __future__ import annotations

import os
import sys
import traceback
from contextlib import suppress
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


def place_of(error: BaseException) -> str:
    """` (at a/b.py:55)`: the last line of a plugin's that an error, or its cause, went through.

    Where it went through none, as what is told of a value does, where that plugin's call is
    written.
    """
    from mlxlab.core.places import crossed

    place, packages = "", _packages()
    now: BaseException | None = error
    seen: set[int] = set()
    while now is not None and id(now) not in seen:  # one may be its own cause
        seen.add(id(now))
        place, now = crossed(now, *packages)[1] or place, now.__cause__
    with suppress(Exception):  # whatever a plugin did to its classes, the line itself comes
        place = place or _written(error, packages)
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
    from mlxlab.core.places import crossed

    packages = _packages()
    package, _ = crossed(error, *packages)
    if package is None:
        return ""
    own = packages[package]
    named = ", ".join(f"{one.kind} '{one.name}'" for one in own[:3])
    return f"{named} of {own[0].distribution} {own[0].version}"


def _line(told: MlxError, error: BaseException) -> str:
    return f"{told}{place_of(error)}" if isinstance(told, PluginError) else str(told)


def _written(error: BaseException, packages: dict[Path, list[Entry]]) -> str:
    """Where the call that a plugin answered wrongly is written, or the plugin itself."""
    import inspect

    from mlxlab.core.loading import whose_entry
    from mlxlab.core.places import written_in

    owner, call = getattr(error, "owner", ""), getattr(error, "call", "")
    for package, entries in packages.items() if owner else ():
        for entry in entries:
            if whose_entry(entry) == owner and entry.entry_point.module in sys.modules:
                given = getattr(error, "asked", None)
                target = entry.entry_point.load() if given is None else type(given)
                asked = inspect.getattr_static(target, call, None)  # no property's code is run
                return written_in(asked, package) or written_in(target, package)
    return ""


def _packages() -> dict[Path, list[Entry]]:
    """The packages of others' plugins, each with what it advertises."""
    from mlxlab.core.entries import HOOKS, advertised
    from mlxlab.core.places import package_of

    found: dict[Path, list[Entry]] = {}
    for entry in (*advertised(), *advertised(HOOKS)):
        module = entry.target.partition(":")[0]
        with suppress(Exception):  # one that put itself in the place of its files has none
            if not entry.builtin and (own := package_of(module)):
                found.setdefault(own, []).append(entry)
    return found
