"""What must be out of sight: packages that hold answers, wherever this interpreter has them."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from importlib.metadata import Distribution, distributions
from pathlib import Path

ALWAYS = ("mlxlab",)
"""The tasks' graders and data recipes are in here."""

_OTHER_PACKAGES = ("lib*/python*/site-packages", "lib*/python*/dist-packages")


def site_folders() -> list[Path]:
    """The folders of installed packages that this interpreter imports from."""
    folders = [Path(entry) for entry in sys.path if entry]
    return [f for f in folders if f.name in {"site-packages", "dist-packages"} and f.is_dir()]


def packages(hidden: Sequence[str]) -> set[str]:
    """The import names that are hidden as a whole."""
    return {name for name in hidden if ":" not in name} | set(ALWAYS)


def left_out(folder: Path, names: set[str]) -> set[str]:
    """The entries of a site folder that belong to hidden packages, their metadata included.

    `__pycache__` goes as well: it holds the compiled form of hidden single-file modules.
    """
    entries = {entry.name for entry in folder.iterdir()}
    found = {entry for entry in entries if entry.partition(".")[0] in names}
    for distribution in distributions(path=[str(folder)]):
        if names & set(top_levels(distribution)):
            found |= {entry for entry in entries if _is_metadata(entry, distribution)}
    return found | ({"__pycache__"} & entries) if found else found


def covered(hidden: Sequence[str]) -> Iterator[Path]:
    """Files and folders to cover with nothing: parts of packages, other interpreters' packages."""
    for name, _, inside in (entry.partition(":") for entry in hidden):
        if inside:
            yield from (folder / name / inside for folder in site_folders())
    used = {folder.resolve() for folder in site_folders()}
    for prefix in {"/usr", "/usr/local", sys.base_prefix}:
        for pattern in _OTHER_PACKAGES:
            yield from (m for m in Path(prefix).glob(pattern) if m.resolve() not in used)


def versions(hidden: Sequence[str]) -> dict[str, str]:
    """The installed distributions and their versions, without those of hidden packages."""
    names = packages(hidden)
    found: dict[str, str] = {}
    for distribution in distributions():
        name = distribution.metadata["Name"]
        if name and not names & set(top_levels(distribution)):
            found.setdefault(name, distribution.version)
    return dict(sorted(found.items(), key=lambda item: item[0].lower()))


def top_levels(distribution: Distribution) -> set[str]:
    """The import names that a distribution installs, its own name among them."""
    listed = (distribution.read_text("top_level.txt") or "").split()
    own = _normal(distribution.metadata["Name"] or "")
    record = distribution.read_text("RECORD") or ""
    first = {
        line.partition(",")[0].partition("/")[0].partition(".")[0] for line in record.split("\n")
    }
    return {*listed, own, *first}


def _is_metadata(entry: str, distribution: Distribution) -> bool:
    stem, dot, suffix = entry.rpartition(".")
    named = _normal(stem.partition("-")[0]) == _normal(distribution.metadata["Name"] or "")
    return bool(dot) and suffix in {"dist-info", "egg-info"} and named


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "_", name).lower()
