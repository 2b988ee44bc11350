"""Workspace states: content-addressed, deduplicated, each a change of its parent."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO, Literal

from pydantic import Field, ValidationError

from mlxlab.core.errors import RecordError
from mlxlab.core.records import CLEAN, Record

CHUNK = 1 << 20
MAX_BYTES = 1 << 30
REMEMBERED = 64
"""Manifests kept in memory, so that a long run does not grow."""


class FileRef(Record):
    """One entry of a state: a file by its content's hash, an empty folder, or a relative link."""

    kind: Literal["file", "dir", "link"] = "file"
    sha256: str = Field("", pattern=r"^([0-9a-f]{64})?$")
    size: int = 0
    mode: int = 0o644
    target: str = ""


Manifest = dict[str, FileRef]


class StateChange(Record):
    """What a state's file on disk holds."""

    parent: str
    changed: Manifest = {}
    removed: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """The hash of the parent and the changes."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


class StateStore:
    """States and the blobs they refer to, below one folder.

    Args:
        folder: where blobs/ and the states' files lie.
        starter: the files of the clean state, by relative path.
        max_bytes: a workspace larger than this is not kept.
    """

    def __init__(
        self,
        folder: Path,
        starter: Mapping[str, bytes] | None = None,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        self.folder = folder
        self.max_bytes = max_bytes
        self._blobs = folder / "blobs"
        self._blobs.mkdir(parents=True, exist_ok=True)
        self._known: dict[str, Manifest] = {CLEAN: {}}
        for path, data in (starter or {}).items():
            digest = self._put_bytes(data)
            self._known[CLEAN][path] = FileRef(sha256=digest, size=len(data))

    def put(self, stream: BinaryIO) -> tuple[str, int]:
        """Keep a stream's bytes; returns their sha256 and size in bytes."""
        digest, size = hashlib.sha256(), 0
        fd, name = tempfile.mkstemp(dir=self._blobs, prefix=".new-")
        try:
            with os.fdopen(fd, "wb") as out:
                while chunk := stream.read(CHUNK):
                    digest.update(chunk)
                    size += len(chunk)
                    out.write(chunk)
        except BaseException:
            Path(name).unlink()
            raise
        self._keep(Path(name), digest.hexdigest())
        return digest.hexdigest(), size

    def open(self, sha256: str) -> BinaryIO:
        """Open a blob for reading; raises RecordError if it is gone."""
        try:
            return os.fdopen(os.open(self._blob(sha256), os.O_RDONLY | os.O_NOFOLLOW), "rb")
        except OSError as error:
            raise RecordError(
                f"The content {sha256[:12]} is missing from {self._blobs}."
            ) from error

    def commit(self, parent: str, files: Mapping[str, FileRef]) -> str:
        """Record a whole manifest as a change of `parent`; returns the new state's id.

        A workspace that equals its parent is the parent: its id is returned.
        """
        before = self.manifest(parent)
        changed = {path: ref for path, ref in files.items() if before.get(path) != ref}
        removed = tuple(sorted(set(before) - set(files)))
        if not changed and not removed:
            return parent
        change = StateChange(parent=parent, changed=dict(sorted(changed.items())), removed=removed)
        state = change.id
        target = self.folder / f"{state}.json"
        if not target.exists():
            new = self.folder / f".{state}.{os.getpid()}.new"
            new.write_text(change.model_dump_json())
            new.replace(target)
        self._remember(state, dict(files))
        return state

    def manifest(self, state: str) -> Manifest:
        """Every entry of a state by relative path; raises RecordError for an unknown state."""
        chain: list[StateChange] = []
        at = state
        while at not in self._known:
            chain.append(self._read(at))
            at = chain[-1].parent
        files = dict(self._known[at])
        for change in reversed(chain):
            for path in change.removed:
                files.pop(path, None)
            files.update(change.changed)
        self._remember(state, files)
        return dict(files)

    def has(self, state: str) -> bool:
        """Whether a state can be restored, as far as its file tells."""
        return state in self._known or (self.folder / f"{state}.json").is_file()

    def _remember(self, state: str, files: Manifest) -> None:
        self._known[state] = files
        while len(self._known) > REMEMBERED:
            self._known.pop(next(name for name in self._known if name != CLEAN))

    def _read(self, state: str) -> StateChange:
        path = self.folder / f"{state}.json"
        try:
            change = StateChange.model_validate_json(path.read_bytes())
        except (OSError, ValidationError) as error:
            raise RecordError(f"The state {state[:12]} is not in {self.folder}.") from error
        if change.id != state or any(not safe(name) for name in change.changed):
            raise RecordError(f"The state in {path} was altered; it is not used.")
        return change

    def _put_bytes(self, data: bytes) -> str:
        digest = hashlib.sha256(data).hexdigest()
        if not self._blob(digest).exists():
            fd, name = tempfile.mkstemp(dir=self._blobs, prefix=".new-")
            with os.fdopen(fd, "wb") as out:
                out.write(data)
            self._keep(Path(name), digest)
        return digest

    def _keep(self, new: Path, digest: str) -> None:
        target = self._blob(digest)
        if target.exists():
            new.unlink()
        else:
            new.replace(target)

    def _blob(self, sha256: str) -> Path:
        return self._blobs / sha256


def safe(path: str) -> bool:
    """Whether a manifest's path stays inside the workspace: relative, no `..`, no NUL."""
    parts = path.split("/")
    return bool(path) and "\0" not in path and not {"", ".", ".."} & set(parts)
