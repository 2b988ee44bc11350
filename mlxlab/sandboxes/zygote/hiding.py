"""What must be out of sight: packages that hold answers, wherever this interpreter has them."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from importlib.metadata import Distribution, distributions
from pathlib import Path

ALWAYS = ("mlxlab",)
"""The tasks' graders and data recipes are in here."""

_LIB = ("lib", "lib32", "lib64", "libx32")
_LIBRARIES = (
    *("*-linux-*", "python[23]*", "gcc", "jvm", "llvm*", "perl*", "tcl*", "tk*", "git-core"),
    *("*-ld", "bfd-plugins", "gconv", "locale", "terminfo", "ssl", "engines*", "ossl-modules"),
    *("sasl2", "nvidia*", "wsl", "openmpi*", "*blas*", "lapack*", "atlas*"),
)
"""Folders of a lib that programs need; the others hold applications and their data, an R library
or Node modules among them, where the same data sets lie as in the hidden packages."""

_SITES = ("site-packages", "dist-packages")
_NO_PLACES = {"share", "include", "node_modules", "__pycache__"}
_DEEPEST = 8
"""How deep environments lie: a pyenv version in a home, down to its lib/python3.12, is 7 deep."""

_LEFT_OUT: dict[tuple[str, int, frozenset[str]], set[str]] = {}

_OTHER_PACKAGES = ("lib*/python*/site-packages", "lib*/python*/dist-packages")


def site_folders() -> list[Path]:
    """The folders of installed packages that this interpreter imports from."""
    folders = [Path(entry) for entry in sys.path if entry]
    return [f for f in folders if f.name in _SITES and f.is_dir()]


def other_folders(places: Sequence[str]) -> Iterator[Path]:
    """The folders below some others that other interpreters import packages from."""
    used = {folder.resolve() for folder in site_folders()}
    for top in places:
        for at, names, _ in os.walk(top):
            if Path(at).name in _SITES:
                names.clear()
                if Path(at).resolve() not in used:
                    yield Path(at)
            elif at.count("/") >= _DEEPEST:
                names.clear()
            names[:] = [name for name in names if name not in _NO_PLACES]


def packages(hidden: Sequence[str]) -> set[str]:
    """The import names that are hidden as a whole."""
    return {name for name in hidden if ":" not in name} | set(ALWAYS)


def left_out(folder: Path, names: set[str]) -> set[str]:
    """The entries of a site folder that belong to hidden packages, their metadata included.

    `__pycache__` goes as well: it holds the compiled form of hidden single-file modules. What a
    parent process has found in a folder that has not changed since is not looked for again: it
    takes a tenth of a second.
    """
    now = _moment(folder, names)
    if now not in _LEFT_OUT:
        _LEFT_OUT[now] = _left_out(folder, names)
    return set(_LEFT_OUT[now])


def _moment(folder: Path, names: set[str]) -> tuple[str, int, frozenset[str]]:
    return str(folder), folder.stat().st_mtime_ns, frozenset(names)


def _left_out(folder: Path, names: set[str]) -> set[str]:
    entries = {entry.name for entry in folder.iterdir()}
    of = set(names)
    for distribution in distributions(path=[str(folder)]):
        if _installs_any(distribution, names):
            of.add(_normal(distribution.metadata["Name"] or ""))
    found = {entry for entry in entries if entry.partition(".")[0] in names}
    # mlxtend-0.25.0.dist-info, mlxtend-0.25.0.egg
    found |= {e for e in entries if "-" in e and _normal(e.partition("-")[0]) in of}
    return found | ({"__pycache__"} & entries) if found else found


def covered(hidden: Sequence[str]) -> Iterator[Path]:
    """What to cover with nothing: parts of packages, other interpreters' packages, applications."""
    for name, _, inside in (entry.partition(":") for entry in hidden):
        if inside:
            yield from (folder / name / inside for folder in site_folders())
    used = {folder.resolve() for folder in site_folders()}
    for prefix in {Path("/usr"), Path(sys.prefix), Path(sys.base_prefix)}:
        for pattern in _OTHER_PACKAGES:
            yield from (found for found in prefix.glob(pattern) if found.resolve() not in used)
        for library in filter(Path.is_dir, (prefix / name for name in _LIB)):
            yield from (entry for entry in library.iterdir() if _is_application(entry))


def versions(hidden: Sequence[str]) -> dict[str, str]:
    """The installed distributions and their versions, without those of hidden packages."""
    names = packages(hidden)
    found: dict[str, str] = {}
    for distribution in distributions():
        name = distribution.metadata["Name"]
        # An editable installation's code lies outside of what is shown.
        editable = '"editable": true' in (distribution.read_text("direct_url.json") or "")
        if name and not editable and not _installs_any(distribution, names):
            found.setdefault(name, distribution.version)
    return dict(sorted(found.items(), key=lambda item: item[0].lower()))


def _is_application(entry: Path) -> bool:
    known = any(fnmatchcase(entry.name, pattern) for pattern in _LIBRARIES)
    return not known and entry.is_dir() and not entry.is_symlink()


def _installs_any(distribution: Distribution, names: set[str]) -> bool:
    """Whether a distribution is called like, or installs, one of some import names."""
    if _normal(distribution.metadata["Name"] or "") in names:
        return True
    listed = (distribution.read_text("top_level.txt") or "").split()
    record = "\n" + (distribution.read_text("RECORD") or "")
    return any(n in listed or f"\n{n}/" in record or f"\n{n}.py," in record for n in names)


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "_", name).lower()
