"""Importing what an entry point names, so that nobody else notices."""

from __future__ import annotations

import inspect
import os
import pkgutil
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from pathlib import Path
from typing import Any

from mlxlab.core.boundary import Boundary
from mlxlab.core.entries import Entry, misfit
from mlxlab.core.errors import PluginError
from mlxlab.core.near import did_you_mean

_ONE_AT_A_TIME = threading.RLock()
_TODO = "Repair or remove it; MLX_DEBUG=1 shows the traceback."


def whose_entry(entry: Entry) -> str:
    """An entry by kind, name, distribution and version."""
    return f"{entry.kind} '{entry.name}' of {entry.distribution} {entry.version}"


def loaded(entry: Entry) -> Any:
    """Import an entry's target.

    Raises:
        PluginError: it is made for another plugin API, or its code failed; with owner and cause.
    """
    if (why := misfit(entry)) is not None:
        raise PluginError(f"{whose_entry(entry)} {why[0]}.", why[1])
    whole = Boundary(whose_entry(entry), "import", failed="could not be loaded", hint=_TODO)
    try:
        with whole, undisturbed():
            return entry.entry_point.load()
    except PluginError as error:
        if error.hint == _TODO:  # a plugin's own error says what it says
            named = mispointed(entry, error.__cause__) or _pointing(entry)
            error.hint = f"{named} {_TODO}"
        raise


def mispointed(entry: Entry, error: BaseException | None) -> str:
    """Which entry point names what is not there, and what it may have meant.

    Args:
        entry: what was loaded.
        error: why it could not be.

    Returns:
        The empty text where the entry point is as it should be: the plugin's own code failed.
    """
    module = entry.entry_point.module
    attributes = entry.target.partition(":")[2].split(".")
    if isinstance(error, ModuleNotFoundError) and f"{module}.".startswith(f"{error.name}."):
        hint = did_you_mean(str(error.name), _modules_beside(str(error.name)))
    # A module whose own code fails is not kept: one that is here is whole.
    elif isinstance(error, AttributeError) and module in sys.modules and error.name in attributes:
        hint = did_you_mean(error.name, _defined_in(error.obj, module))
    else:
        return ""
    return f"{_pointing(entry)} {hint}".rstrip()


def module_named(entry: Entry, target: object) -> str:
    """What is wrong with a component whose entry point names a module; empty: it names none."""
    if not inspect.ismodule(target):
        return ""
    return f"its entry point names a module, {entry.target}; write {entry.target}:CLASS"


def _pointing(entry: Entry) -> str:
    return f"Its entry point: {entry.entry_point.name} = {entry.target}."


def _modules_beside(name: str) -> list[str]:
    """The modules of the package that a module would be of, by their whole names."""
    package = name.rpartition(".")[0]
    path = getattr(sys.modules.get(package), "__path__", None)
    return [each.name for each in pkgutil.iter_modules(path, f"{package}.")] if path else []


def _defined_in(owner: object, module: str) -> list[str]:
    """The classes, functions and modules of a plugin's own that a module or a class has."""
    own = module.partition(".")[0]
    found = []
    for name in dir(owner):
        value = inspect.getattr_static(owner, name, None)
        home = value.__name__ if inspect.ismodule(value) else getattr(value, "__module__", None)
        named = inspect.isclass(value) or inspect.isroutine(value) or inspect.ismodule(value)
        if named and isinstance(home, str) and home.partition(".")[0] == own:
            found.append(name)
    return found


@contextmanager
def undisturbed() -> Iterator[None]:
    """Send what is printed to stderr, and keep the working directory as it is."""
    with _ONE_AT_A_TIME:
        here = _here()
        try:
            with redirect_stdout(sys.stderr):
                yield
        finally:
            if here and here != _here():
                with suppress(OSError):
                    os.chdir(here)


def _here() -> Path | None:
    try:
        return Path.cwd()
    except OSError:  # it was removed
        return None
