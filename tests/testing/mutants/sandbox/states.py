"""Sandboxes that forget, add or mistake what a state holds."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Callable

from mlxlab.core.errors import RecordError, SandboxError
from mlxlab.core.records import CLEAN
from mlxlab.core.sandbox import Snapshot
from mlxlab.core.states import FileRef, Manifest, StateStore
from tests.testing.mutants.sandbox.joints import Make, Mutant, Real, instead


class Misrecorded(Mutant):
    """Records more than there is."""

    def __init__(self, real: Real, more: Callable[[Real, StateStore], Manifest]) -> None:
        super().__init__(real)
        self.more = more

    async def snapshot(self, store: StateStore, parent: str) -> Snapshot:
        kept = await self.real.snapshot(store, parent)
        assert kept.state is not None, kept
        files = {**store.manifest(kept.state), **self.more(self.real, store)}
        return Snapshot(state=store.commit(parent, files))


class Misrestored(Mutant):
    """Spoils the workspace after each way back."""

    def __init__(self, real: Real, spoil: Callable[[Real], None]) -> None:
        super().__init__(real)
        self.spoil = spoil

    async def restore(self, store: StateStore, state: str) -> None:
        await self.real.restore(store, state)
        self.spoil(self.real)


class ByTime(Mutant):
    """Takes a file of the same size and time of modification for the same file."""

    def __init__(self, real: Real) -> None:
        super().__init__(real)
        self.known: dict[tuple[str, int, int], FileRef] = {}

    async def snapshot(self, store: StateStore, parent: str) -> Snapshot:
        kept = await self.real.snapshot(store, parent)
        files = store.manifest(kept.state or parent)
        for path, ref in files.items():
            modified = (self.real.root / path).stat().st_mtime_ns
            files[path] = self.known.setdefault((path, ref.size, modified), ref)
        return Snapshot(state=store.commit(parent, files))


class Private(Mutant):
    """Keeps states where no other sandbox looks."""

    def own(self, store: StateStore) -> StateStore:
        return StateStore(store.folder / f"of-{id(self)}")

    async def snapshot(self, store: StateStore, parent: str) -> Snapshot:
        return await self.real.snapshot(self.own(store), parent)

    async def restore(self, store: StateStore, state: str) -> None:
        await self.real.restore(store if state == CLEAN else self.own(store), state)


def recording(more: Callable[[Real, StateStore], Manifest]) -> Make:
    """A mutant whose states hold these entries too."""
    return lambda real: Misrecorded(real, more)


def spoiling(spoil: Callable[[Real], None]) -> Make:
    """A mutant that does this to each restored workspace."""
    return lambda real: Misrestored(real, spoil)


def kept(store: StateStore, data: bytes) -> FileRef:
    digest, size = store.put(io.BytesIO(data))
    return FileRef(sha256=digest, size=size)


def the_time(_: Real, store: StateStore) -> Manifest:
    return {"recorded-at": kept(store, str(time.time_ns()).encode())}


def an_archive(_: Real, store: StateStore) -> Manifest:
    kept(store, b"the whole workspace, packed")
    return {}


def pipes_as_files(real: Real, store: StateStore) -> Manifest:
    pipes = [path.name for path in real.root.iterdir() if path.is_fifo()]
    return {name: kept(store, b"") for name in pipes}


def forget_modes(real: Real) -> None:
    for path in real.root.rglob("*"):
        if path.is_file() and not path.is_symlink():
            path.chmod(0o644)


def forget_empty_folders(real: Real) -> None:
    for path in sorted(real.root.rglob("*"), reverse=True):
        if path.is_dir() and not list(path.iterdir()):
            path.rmdir()


def link_what_is_equal(real: Real) -> None:
    seen: dict[bytes, str] = {}
    for path in sorted(real.root.iterdir()):
        if path.is_file() and (first := seen.setdefault(path.read_bytes(), str(path))) != str(path):
            path.unlink()
            os.link(first, path)


async def _not_of_locked_folders(real: Real, store: StateStore, parent: str) -> Snapshot:
    for path in real.root.rglob("*"):
        if not path.is_symlink() and not path.stat().st_mode & 0o400:
            raise SandboxError(f"The workspace cannot be recorded: permission denied: {path}.")
    return await real.snapshot(store, parent)


async def _without_starter(real: Real, store: StateStore, state: str) -> None:
    await real.restore(StateStore(store.folder / "none") if state == CLEAN else store, state)


async def _without_reason(real: Real, store: StateStore, parent: str) -> Snapshot:
    return (await real.snapshot(store, parent)).model_copy(update={"dropped": None})


async def _whatever_is_asked(real: Real, store: StateStore, state: str) -> None:
    try:
        await real.restore(store, state)
    except RecordError:
        return


STATES: dict[str, Make] = {
    "a_state_is_restored_whole": spoiling(forget_modes),
    "what_is_unchanged_is_the_same_state": recording(the_time),
    "each_content_is_kept_once": recording(an_archive),
    "the_starter_files_are_the_clean_state": instead(restore=_without_starter),
    "a_change_that_hides_is_seen": ByTime,
    "hard_links_do_not_tie_restored_files": spoiling(link_what_is_equal),
    "what_cannot_be_kept_is_left_out": recording(pipes_as_files),
    "locked_and_deleted_folders_are_no_obstacle": instead(snapshot=_not_of_locked_folders),
    "what_is_too_large_is_dropped_with_a_reason": instead(snapshot=_without_reason),
    "states_that_no_store_makes_are_refused": instead(restore=_whatever_is_asked),
}
TRANSFER: dict[str, Make] = {
    "a_state_goes_to_another_kind_and_back": Private,
    "a_state_goes_to_another_of_the_same_kind": Private,
    "a_state_made_by_hand": spoiling(forget_empty_folders),
}
