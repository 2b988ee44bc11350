"""What a state's file holds, and what may stand in one: it may come from a stranger."""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Mapping
from json import JSONEncoder
from typing import Literal

from pydantic import Field

from mlxlab.core.records import Record
from mlxlab.core.sandbox import INPUT

NAME_BYTES = 255
PATH_BYTES = 4096
"""Linux's bounds; a longer name could be recorded nowhere and restored nowhere."""


class FileRef(Record):
    """One entry of a state: a file by its content's hash, an empty folder, or a relative link."""

    kind: Literal["file", "dir", "link"] = "file"
    sha256: str = Field("", pattern=r"^([0-9a-f]{64})?$")
    size: int = 0
    mode: int = 0o644
    target: str = ""


Manifest = dict[str, FileRef]
_encoded = JSONEncoder(sort_keys=True, separators=(",", ":")).encode
"""Bound now: the hashes stay what they are, whatever a plugin replaces in `json` later."""


class StateChange(Record):
    """What a state's file on disk holds."""

    parent: str
    changed: Manifest = {}
    removed: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """The hash of the parent and the changes."""
        return hashlib.sha256(_encoded(self.model_dump(mode="json")).encode()).hexdigest()


def safe(path: str) -> bool:
    """Whether a manifest's path stays inside the workspace: relative, no `..`, no NUL."""
    parts = path.split("/")
    return bool(path) and "\0" not in path and not {"", ".", ".."} & set(parts)


def stays_inside(path: str, target: str) -> bool:
    """Whether a link at `path` is relative and its target lies in the workspace."""
    whole = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
    return not target.startswith("/") and whole != ".." and not whole.startswith("../")


def fault(files: Mapping[str, FileRef], max_bytes: int) -> str:
    """Why a whole manifest is not restored, for people; "" where it may be."""
    for path, ref in files.items():
        if why := _fault_of_path(path) or _fault_of_entry(path, ref):
            return why
        for above in _parents(path):
            if above in files and files[above].kind != "dir":
                return f"{path!r} lies below {above!r}, which is no folder"
    size = sum(ref.size for ref in files.values())
    return f"it holds {size:,} bytes, more than {max_bytes:,}" if size > max_bytes else ""


def _fault_of_path(path: str) -> str:
    if not _is_text(path):
        return f"{path!r} is not text"
    if not safe(path):
        return f"{path!r} leads outside"
    parts = path.split("/")
    if len(path.encode()) > PATH_BYTES or any(len(part.encode()) > NAME_BYTES for part in parts):
        return f"the name {path[:40] + '...'!r} is too long"
    return f"{path!r} lies in {INPUT}/, which no state holds" if parts[0] == INPUT else ""


def _fault_of_entry(path: str, ref: FileRef) -> str:
    hashed = bool(ref.sha256) or ref.kind != "file"
    if ref.size < 0 or not 0 <= ref.mode <= 0o777 or not hashed:
        return f"{path!r} is no file or folder that mlxlab records"
    if ref.kind != "link":
        return ""
    target = ref.target
    if not target or "\0" in target or not _is_text(target) or len(target.encode()) >= PATH_BYTES:
        return f"the link {path!r} has no target"
    return "" if stays_inside(path, target) else f"a link that leads outside: {path!r}"


def _is_text(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def _parents(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:n]) for n in range(1, len(parts))]
