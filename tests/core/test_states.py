import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlxlab.core.errors import RecordError
from mlxlab.core.records import CLEAN
from mlxlab.core.states import REMEMBERED, FileRef, StateStore, safe

NAMES = st.sampled_from(["a", "b/c", "b/d", "e"])
WORKSPACES = st.lists(st.dictionaries(NAMES, st.binary(max_size=4)), min_size=1, max_size=8)


def keep(store: StateStore, files: dict[str, bytes]) -> dict[str, FileRef]:
    refs = {}
    for name, data in files.items():
        digest, size = store.put(io.BytesIO(data))
        refs[name] = FileRef(sha256=digest, size=size)
    return refs


def content(store: StateStore, state: str) -> dict[str, bytes]:
    files = {}
    for name, ref in store.manifest(state).items():
        with store.open(ref.sha256) as stream:
            files[name] = stream.read()
    return files


@given(workspaces=WORKSPACES)
def test_every_state_of_a_chain_is_restored_exactly_by_a_new_store(
    tmp_path_factory: pytest.TempPathFactory, workspaces: list[dict[str, bytes]]
) -> None:
    folder = tmp_path_factory.mktemp("states")
    store, at = StateStore(folder), CLEAN
    states = []
    for files in workspaces:
        at = store.commit(at, keep(store, files))
        states.append(at)

    fresh = StateStore(folder)
    for state, files in zip(states, workspaces, strict=True):
        assert content(fresh, state) == files


def test_equal_content_is_kept_once_and_equal_changes_are_one_state(tmp_path: Path) -> None:
    store = StateStore(tmp_path)
    first = store.commit(CLEAN, keep(store, {"a": b"x" * 100, "b": b"x" * 100}))
    again = StateStore(tmp_path).commit(CLEAN, keep(store, {"a": b"x" * 100, "b": b"x" * 100}))
    assert first == again
    assert len(list((tmp_path / "blobs").iterdir())) == 1
    assert store.commit(first, store.manifest(first)) == first


def test_starter_files_are_the_clean_state(tmp_path: Path) -> None:
    store = StateStore(tmp_path, {"train.py": b"print()"})
    assert content(store, CLEAN) == {"train.py": b"print()"}


def test_an_unknown_or_altered_state_is_refused(tmp_path: Path) -> None:
    store = StateStore(tmp_path)
    with pytest.raises(RecordError, match="not in"):
        store.manifest("f" * 64)
    state = store.commit(CLEAN, keep(store, {"a": b"1"}))
    path = tmp_path / f"{state}.json"
    change = json.loads(path.read_text())
    change["changed"]["../../evil"] = change["changed"].pop("a")
    path.write_text(json.dumps(change))
    with pytest.raises(RecordError, match="altered"):
        StateStore(tmp_path).manifest(state)


def test_memory_of_manifests_is_bounded(tmp_path: Path) -> None:
    store = StateStore(tmp_path)
    states = [store.commit(CLEAN, keep(store, {"a": str(n).encode()})) for n in range(200)]
    assert len(store._known) <= REMEMBERED
    assert content(store, states[0]) == {"a": b"0"}


@pytest.mark.parametrize("path", ["", "/etc/x", "../x", "a/../b", "a//b", "./a", "a\0b"])
def test_unsafe_paths(path: str) -> None:
    assert not safe(path)
