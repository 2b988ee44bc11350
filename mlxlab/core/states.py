"""Workspace states: content-addressed, deduplicated, each a change of its parent.

A run folder may be a stranger's, so what is read here is checked before it is used: states and
contents by their hashes, names by where they lead, sizes before anything is written. A state that
cannot be written, on a full disk for example, is one that was not kept, never the end of a run.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from pydantic import ValidationError

from mlxlab.core.changes import FileRef, Manifest, StateChange, fault, safe, stays_inside
from mlxlab.core.content import Verified
from mlxlab.core.errors import RecordError, StateNotKept
from mlxlab.core.records import CLEAN

__all__ = ["CHUNK", "FileRef", "Manifest", "StateChange", "StateStore", "safe", "stays_inside"]

CHUNK = 1 << 20
MAX_BYTES = 1 << 30
MAX_FILE = 1 << 28
"""Bytes of a state's own file; 50,000 entries take a twentieth."""
REMEMBERED = 64
"""Manifests kept in memory, so that a long run does not grow."""
PRUNED = "pruned.json"
"""Written beside the states when `mlx runs prune` removed some."""

_ID = re.compile(r"[0-9a-f]{64}")
# A pipe in the place of a file would block an open without O_NONBLOCK for ever.
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class StateStore:
    """States and the blobs they refer to, below one folder; any thread may use it.

    Args:
        folder: where blobs/ and the states' files lie.
        starter: the files of the clean state, by relative path.
        max_bytes: a workspace larger than this is not kept.
        read_only: whether states are restored from it alone, and nothing is written.
    """

    def __init__(
        self,
        folder: Path,
        starter: Mapping[str, bytes] | None = None,
        max_bytes: int = MAX_BYTES,
        *,
        read_only: bool = False,
    ) -> None:
        self.folder = folder
        self.max_bytes = max_bytes
        self._blobs = folder / "blobs"
        if not read_only:
            self._blobs.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._known: dict[str, Manifest] = {CLEAN: {}}
        for path, data in (starter or {}).items():
            digest = hashlib.sha256(data).hexdigest() if read_only else self._put_bytes(data)
            self._known[CLEAN][path] = FileRef(sha256=digest, size=len(data))

    def put(self, stream: BinaryIO) -> tuple[str, int]:
        """Keep a stream's bytes; returns their sha256 and size in bytes.

        Raises:
            StateNotKept: they cannot be written, or are more than a state may hold.
        """
        digest, size = hashlib.sha256(), 0
        with self._new_blob() as (out, new):
            while chunk := stream.read(CHUNK):
                digest.update(chunk)
                size += len(chunk)
                if size > self.max_bytes:
                    raise StateNotKept(f"A file holds more than the {self.max_bytes:,} of a state.")
                _write(out, chunk)
            self._keep(out, new, digest.hexdigest(), size)
        return digest.hexdigest(), size

    def open(self, sha256: str, size: int | None = None) -> BinaryIO:
        """Open a blob; reading it to its end proves its hash, before the last byte is handed out.

        Args:
            sha256: the content's hash.
            size: what the manifest says; another size is refused at once.

        Raises:
            RecordError: it is gone, no plain file, or of the wrong size; on reading: altered.
        """
        missing = f"The content {sha256[:12]} is missing from {self._blobs}."
        if not _ID.fullmatch(sha256):
            raise RecordError(missing)
        try:
            fd = os.open(self._blobs / sha256, _READ)
        except OSError as error:
            raise RecordError(missing, _pruned(self.folder)) from error
        found = os.fstat(fd)
        bound = self.max_bytes if size is None else size
        wrong = found.st_size > bound or (size is not None and found.st_size != size)
        if not stat.S_ISREG(found.st_mode) or wrong:
            os.close(fd)
            raise RecordError(f"The content {sha256[:12]} in {self._blobs} was altered.")
        return Verified(fd, sha256, str(self._blobs))

    def commit(self, parent: str, files: Mapping[str, FileRef]) -> str:
        """Record a whole manifest as a change of `parent`; returns the new state's id.

        A workspace that equals its parent is the parent: its id is returned.

        Raises:
            StateNotKept: it cannot be written, or no restore would take it.
            RecordError: the parent is gone.
        """
        if why := fault(files, self.max_bytes):
            raise StateNotKept(f"The workspace cannot be kept: {why}.")
        before = self.manifest(parent)
        changed = {path: ref for path, ref in files.items() if before.get(path) != ref}
        removed = tuple(sorted(set(before) - set(files)))
        if not changed and not removed:
            return parent
        change = StateChange(parent=parent, changed=dict(sorted(changed.items())), removed=removed)
        state = change.id
        if not self._path(state).exists():
            self._write_state(state, change.model_dump_json().encode())
        self._remember(state, dict(files))
        return state

    def manifest(self, state: str) -> Manifest:
        """Every entry of a state by relative path.

        Raises:
            RecordError: the state is unknown, altered, or holds what must not be restored.
        """
        chain: list[tuple[str, StateChange]] = []
        at = state
        while (known := self._known.get(at)) is None:
            chain.append((at, read_change(self.folder, at)))
            at = chain[-1][1].parent
        files = dict(known)
        for _, change in reversed(chain):
            for path in change.removed:
                files.pop(path, None)
            files.update(change.changed)
        if chain and (why := fault(files, self.max_bytes)):
            raise RecordError(f"The state {state[:12]} in {self.folder} is not used: {why}.")
        self._remember(state, files)
        return dict(files)

    def has(self, state: str) -> bool:
        """Whether a state can be restored, as far as its file tells."""
        return state in self._known or (
            _ID.fullmatch(state) is not None and self._path(state).is_file()
        )

    def _remember(self, state: str, files: Manifest) -> None:
        with self._lock:
            self._known[state] = files
            while len(self._known) > REMEMBERED:
                self._known.pop(next(name for name in self._known if name != CLEAN))

    def _path(self, state: str) -> Path:
        return self.folder / f"{state}.json"

    def _write_state(self, state: str, data: bytes) -> None:
        with _kept():
            fd, name = tempfile.mkstemp(dir=self.folder, prefix=f".{state}.", suffix=".new")
            try:
                with os.fdopen(fd, "wb") as out:
                    out.write(data)
                Path(name).replace(self._path(state))
            except BaseException:
                Path(name).unlink(missing_ok=True)
                raise

    def _put_bytes(self, data: bytes) -> str:
        digest = hashlib.sha256(data).hexdigest()
        if not _is_whole(self._blobs / digest, len(data)):
            with self._new_blob() as (out, new):
                _write(out, data)
                self._keep(out, new, digest, len(data))
        return digest

    @contextmanager
    def _new_blob(self) -> Iterator[tuple[BinaryIO, Path]]:
        """A file that is not yet a blob, and is gone at the end unless it became one."""
        with _kept():
            fd, name = tempfile.mkstemp(dir=self._blobs, prefix=".new-")
        try:
            with os.fdopen(fd, "wb", buffering=0) as out:
                yield out, Path(name)
        finally:
            with suppress(OSError):
                Path(name).unlink(missing_ok=True)

    def _keep(self, out: BinaryIO, new: Path, digest: str, size: int) -> None:
        """Give a whole new blob its name; one that is there already stays."""
        with _kept():
            out.flush()
            if not _is_whole(self._blobs / digest, size):
                new.replace(self._blobs / digest)


def read_change(folder: Path, state: str) -> StateChange:
    """What a state's own file holds; raises RecordError if it is gone or altered."""
    absent = f"The state {state[:12]!r} is not in {folder}."
    if not _ID.fullmatch(state):
        raise RecordError(absent)
    path = folder / f"{state}.json"
    try:
        change = StateChange.model_validate_json(_small_file(path))
    except OSError as error:
        raise RecordError(absent, _pruned(folder)) from error
    except ValidationError as error:
        raise RecordError(f"The state in {path} cannot be read.") from error
    # A chain of parents cannot run in a circle: each state's hash is over its parent's.
    if change.id != state or any(not safe(name) for name in change.changed):
        raise RecordError(f"The state in {path} was altered; it is not used.")
    return change


def _pruned(folder: Path) -> str:
    """The hint where a state is missed."""
    if not (folder / PRUNED).exists():
        return ""
    run = folder.parent.name
    again = f"mlx run --policy replay:{run} makes them again"
    return f"'mlx runs prune' removed states of this run; {again}."


@contextmanager
def _kept() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        why = error.strerror or str(error)
        raise StateNotKept(f"The state could not be written: {why}.") from error


def _write(out: BinaryIO, data: bytes) -> None:
    with _kept():
        while data:
            data = data[out.write(data) :]


def _is_whole(path: Path, size: int) -> bool:
    """Whether a blob is there in its full length, which a power cut can have taken from it."""
    try:
        found = path.lstat()
    except OSError:
        return False
    return stat.S_ISREG(found.st_mode) and found.st_size == size


def _small_file(path: Path) -> bytes:
    with os.fdopen(os.open(path, _READ), "rb") as stream:
        found = os.fstat(stream.fileno())
        if not stat.S_ISREG(found.st_mode) or found.st_size > MAX_FILE:
            raise OSError("no plain file, or too large")
        return stream.read(MAX_FILE)
