"""A new plugin's files: templates with their placeholders filled in, written to a new folder."""

from __future__ import annotations

import re
from datetime import date
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from mlxlab import __version__
from mlxlab.cli.plugins.new.naming import Names
from mlxlab.cli.plugins.new.wording import words
from mlxlab.core.entries import API_VERSION
from mlxlab.core.errors import UsageError

_SUFFIX = ".in"
_HOLE = re.compile(r"@([a-z_]+)@")
_IMPORT = re.compile(r"^from (\S+) import ([^(\n]+)$", re.MULTILINE)
_LINE = 100


def contents(names: Names) -> dict[str, str]:
    """Every file of a new plugin's package, by its relative path."""
    root = files("mlxlab.cli.plugins.new") / "templates"
    given = {
        **names.placeholders,
        **words(names),
        "mlxlab": __version__.rpartition(".")[0],
        "api": str(API_VERSION),
        "year": str(date.today().year),
    }
    found = {**_texts(root / "common"), **_texts(root / names.kind)}
    return {_filled(path, given): _filled(text, given) for path, text in sorted(found.items())}


def write(folder: Path, made: dict[str, str]) -> None:
    """Write the files into a folder that is not there yet, or empty.

    Raises:
        UsageError: something is there, or it cannot be written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(
            f"{folder} is there already, and not empty.",
            "Name a new folder with --out, or remove it.",
        )
    try:
        for path, text in made.items():
            place = folder / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text, encoding="utf-8")
    except OSError as error:
        what = error.strerror or str(error)
        raise UsageError(
            f"{folder} cannot be written: {what}.", "Name another folder with --out."
        ) from error


def _texts(folder: Traversable, below: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for place in folder.iterdir():
        if place.is_dir():
            found |= _texts(place, f"{below}{place.name}/")
        elif place.name.endswith(_SUFFIX):
            found[below + place.name.removesuffix(_SUFFIX)] = place.read_text(encoding="utf-8")
    return found


def _filled(text: str, given: dict[str, str]) -> str:
    return _IMPORT.sub(_wrapped, _HOLE.sub(lambda hole: given[hole[1]], text))


def _wrapped(line: re.Match[str]) -> str:
    """An import as a formatter leaves it: a long name may have made it too long for a line."""
    if len(line[0]) <= _LINE:
        return line[0]
    listed = "".join(f"    {name.strip()},\n" for name in line[2].split(","))
    return f"from {line[1]} import (\n{listed})"
