"""Sandboxes that mistake bytes, names, links and the task's inputs."""

from __future__ import annotations

import io
import shutil

from mlxlab.core.records import CLEAN, Limits
from mlxlab.core.sandbox import (
    INPUT,
    ExecRequest,
    ExecResult,
    FileEntry,
    OnOutput,
    SandboxFileError,
    Snapshot,
)
from mlxlab.core.states import FileRef, StateStore
from mlxlab.sandboxes.local import LocalConfig
from tests.testing.mutants.sandbox.apart import Unconfined
from tests.testing.mutants.sandbox.joints import Make, Mutant, Real, instead


async def _like_a_text(real: Real, path: str, data: bytes) -> None:
    await real.write(path, data.replace(b"\r\n", b"\n"))


async def _half(real: Real, path: str, data: bytes) -> None:
    await real.write(path, data[: 1 << 24])


async def _with_the_other_slash(real: Real, path: str, data: bytes) -> None:
    await real.write(path.replace("\\", "/"), data)


async def _shortened(real: Real, path: str, data: bytes) -> None:
    await real.write(path[:255], data)


async def _read_only(real: Real, path: str, data: bytes) -> None:
    await real.write(path, data)
    (real.root / path).chmod(0o444)


async def _only_what_is_new(real: Real, path: str, data: bytes) -> None:
    try:
        await real.read(path)
    except FileNotFoundError:
        await real.write(path, data)


async def _cut(real: Real, path: str, max_bytes: int = 1 << 30) -> bytes:
    return (await real.read(path))[:max_bytes]


async def _nameless(real: Real, path: str, max_bytes: int = 1 << 30) -> bytes:
    try:
        return await real.read(path, max_bytes)
    except FileNotFoundError:
        raise FileNotFoundError("No such file or directory") from None


async def _empty(real: Real, path: str, max_bytes: int = 1 << 30) -> bytes:
    try:
        return await real.read(path, max_bytes)
    except SandboxFileError:
        return b""


async def _nothing(real: Real, path: str) -> None:
    """Removes nothing."""


async def _backwards(real: Real, path: str = ".") -> list[FileEntry]:
    return (await real.list(path))[::-1]


async def _made_harmless(real: Real, path: str, data: bytes) -> None:
    await real.write(path.replace("..", "up").lstrip("/"), data)


async def _read_on(real: Real, path: str, max_bytes: int = 1 << 30) -> bytes:
    try:
        return await real.read(path, max_bytes)
    except SandboxFileError:
        return (real.root / path).read_bytes()


async def _write_on(real: Real, path: str, data: bytes) -> None:
    (real.root / path).write_bytes(data)


async def _remove_on(real: Real, path: str) -> None:
    (real.root / path).resolve().unlink()


async def _unseen(real: Real, path: str = ".") -> list[FileEntry]:
    return [] if path.startswith("input") else await real.list(path)


async def _without_a_word(real: Real, path: str, data: bytes) -> None:
    try:
        await real.write(path, data)
    except SandboxFileError:
        return


async def _of_the_agents_making(real: Real, store: StateStore, parent: str) -> Snapshot:
    kept = await real.snapshot(store, parent)
    digest, size = store.put(io.BytesIO(await real.read("input/train.csv")))
    files = {**store.manifest(kept.state or CLEAN), "train.csv": FileRef(sha256=digest, size=size)}
    return Snapshot(state=store.commit(parent, files))


class EmptyInputs(Mutant):
    """Makes the folder of the task's files, and puts nothing in it."""

    over = LocalConfig(isolation="none")

    async def run(
        self, request: ExecRequest, limits: Limits, on_output: OnOutput | None = None
    ) -> ExecResult:
        await self.undo()
        (self.real.root / INPUT).mkdir()
        return await self.real.run(request, limits, on_output)

    async def undo(self) -> None:
        shutil.rmtree(self.real.root / INPUT)


FILES: dict[str, Make] = {
    "bytes": instead(write=_like_a_text),
    "a_large_file": instead(write=_half),
    "odd_names": instead(write=_with_the_other_slash),
    "a_name_that_is_too_long": instead(write=_shortened),
    "the_code_may_change_what_was_written": instead(write=_read_only),
    "writing_takes_the_place_of_a_file": instead(write=_only_what_is_new),
    "reading_has_a_limit": instead(read=_cut),
    "a_missing_file_is_named": instead(read=_nameless),
    "what_is_no_file_is_not_read": instead(read=_empty),
    "removing": instead(remove=_nothing),
    "a_listing": instead(list=_backwards),
}
PATHS: dict[str, Make] = {
    "paths_outside_are_refused": instead(write=_made_harmless),
    "links_are_not_read": instead(read=_read_on),
    "links_are_replaced_by_writing": instead(write=_write_on),
    "removing_a_link_keeps_its_aim": instead(remove=_remove_on),
    "a_link_to_itself_ends": instead(read=_read_on),
}
INPUTS: dict[str, Make] = {
    "the_code_reads_them": EmptyInputs,
    "they_are_read_and_listed_from_outside": instead(list=_unseen),
    "the_host_does_not_change_them": instead(write=_without_a_word),
    "the_code_does_not_change_them": Unconfined,
    "they_are_no_part_of_a_state": instead(snapshot=_of_the_agents_making),
}
