"""Where the workspaces lie that actions start from, and those that they leave."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import threading
from contextlib import suppress
from pathlib import Path

from mlxlab.core.errors import MlxError
from mlxlab.core.records import CLEAN
from mlxlab.core.runs import RunFolder
from mlxlab.core.states import MAX_BYTES, StateStore, read_change
from mlxlab.core.task import TaskInfo
from mlxlab.core.training.states import State


class Stores:
    """State stores: one of our own for each task, and the recorded runs', which are only read.

    Args:
        folder: below which our own lie.
        keep: whether next states are recorded: then what an action starts from is taken over into
            our own store first, so that a chain of states lies in one place.
    """

    def __init__(self, folder: Path, *, keep: bool) -> None:
        self._folder = folder
        self._keep = keep
        self._stores: dict[Path, StateStore] = {}
        self._lock = threading.Lock()

    def folder(self, info: TaskInfo) -> Path:
        """Where our own states of a task lie."""
        said = json.dumps([info.id, info.data_hash, sorted(info.starter.items())])
        return self._folder / hashlib.sha256(said.encode()).hexdigest()[:16]

    def has(self, state: State, next_state: str) -> bool:
        """Whether our own store holds a state that follows this one."""
        return self._own(state.info).has(next_state)

    def of(self, state: State) -> StateStore:
        """What a state's workspace is restored from, and the next one kept in.

        Raises:
            RecordError: the state is gone, or was altered.
            StateNotKept: it cannot be taken over.
        """
        own = self._own(state.info)
        if self._is_own(state, own):
            return own
        recorded = self._recorded(state)
        if not self._keep:
            return recorded
        _take_over(own, recorded, state.decision.start)
        return own

    def takes_over(self, state: State) -> bool:
        """Whether a workspace of another store has to be copied first."""
        return self._keep and not self._is_own(state, self._own(state.info))

    def _is_own(self, state: State, own: StateStore) -> bool:
        start = state.decision.start
        return (
            start == CLEAN or state.store in (None, own.folder) or (self._keep and own.has(start))
        )

    def _own(self, info: TaskInfo) -> StateStore:
        folder = self.folder(info)
        with self._lock:
            if folder not in self._stores:
                self._stores[folder] = StateStore(folder, _starter(info))
            return self._stores[folder]

    def _recorded(self, state: State) -> StateStore:
        assert state.store is not None
        with self._lock:
            if state.store not in self._stores:
                most = _max_bytes(state)
                starter = _starter(state.info)
                self._stores[state.store] = StateStore(state.store, starter, most, read_only=True)
            return self._stores[state.store]


def _take_over(own: StateStore, recorded: StateStore, state: str) -> None:
    """Put a state and those that it is a change of into another store, under the same names."""
    for ref in recorded.manifest(state).values():
        if ref.kind == "file":
            with recorded.open(ref.sha256, ref.size) as stream:
                own.put(stream)
    at, chain = state, []
    while at != CLEAN:
        chain.append(at)
        at = read_change(recorded.folder, at).parent
    for name in reversed(chain):
        new = own.folder / f".{name}.{os.getpid()}.new"
        shutil.copyfile(recorded.folder / f"{name}.json", new)
        new.replace(own.folder / f"{name}.json")


def _starter(info: TaskInfo) -> dict[str, bytes]:
    return {path: text.encode() for path, text in info.starter.items()}


def _max_bytes(state: State) -> int:
    """How large a state of the run may be."""
    if state.folder is not None:
        with suppress(MlxError):
            return RunFolder(state.folder).manifest().max_state_bytes
    return MAX_BYTES
