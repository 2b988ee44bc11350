"""What everybody shares is put back, whoever replaces it: the record says what it would have."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlxlab.core import shared
from mlxlab.core.boundary import Boundary, answering
from mlxlab.core.changes import FileRef, StateChange
from mlxlab.core.errors import PluginError
from mlxlab.core.hooks import Hooks, hookimpl
from mlxlab.core.launch import new_run
from mlxlab.core.loops import run_loop
from mlxlab.core.registry import Registry
from mlxlab.core.runs import list_runs, reference
from tests.containment.test_calls import options, run

THEIRS = (json.dumps, json.JSONEncoder.encode)
CALLS = [("scaffold", "propose"), ("scaffold", "parse"), ("policy", "act"), ("sandbox", "run"),
         ("sandbox", "open"), ("task", "info"), ("task", "grade")]  # fmt: skip


@pytest.fixture(autouse=True)
def _put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json, "dumps", THEIRS[0])
    monkeypatch.setattr(json.JSONEncoder, "encode", THEIRS[1])


def whole() -> bool:
    return (json.dumps, json.JSONEncoder.encode) == THEIRS


@pytest.mark.parametrize(("kind", "call"), CALLS)
def test_a_call_that_replaces_it_is_named(
    tmp_path: Path, registry: Registry, kind: str, call: str
) -> None:
    late = "" if call in {"open", "info"} else "&after=1"
    with pytest.raises(PluginError) as caught:
        run(tmp_path, registry, **{kind: f"bad?call={call}&fault=patch{late}"})
    told = f"{kind} 'bad' of acme-parts 1.2: {call} failed: RuntimeError: it replaces json.dumps"
    assert told in str(caught.value)
    assert whole()
    for folder in list_runs(tmp_path):
        for step in folder.steps():
            assert step.prompt is not None
            assert reference(folder.prompt(step.prompt)) == step.prompt


def test_a_constructor_that_replaces_it_is_named(tmp_path: Path, registry: Registry) -> None:
    who = r"scaffold 'patches' of acme-parts 1\.2 could not be made: .*it replaces json.dumps"
    with pytest.raises(PluginError, match=who):
        run(tmp_path, registry, scaffold="patches")
    assert whole() and not list_runs(tmp_path)


def test_a_reward_loses_its_value_and_a_hook_is_named(tmp_path: Path, registry: Registry) -> None:
    class Patches:
        @hookimpl
        def mlx_step_recorded(self) -> None:
            json.dumps = str  # type: ignore[assignment]

    hooks = Hooks()
    hooks.register(Patches(), "acme 1.2 (bad)")
    asked = options(tmp_path, reward="bad?call=judge&fault=patch&after=1")
    run_loop(new_run(asked, hooks, registry).run())
    assert whole()
    assert hooks.broken["acme 1.2 (bad)"].endswith("RuntimeError: it replaces json.dumps")
    (found,) = list_runs(tmp_path)
    values = [next(iter(step.rewards.values())) for step in found.steps()]
    assert [value.value for value in values] == [1.0, None, None]
    assert "judge failed: RuntimeError: it replaces json.dumps" in values[1].reason


def test_the_error_that_came_first_is_told_and_it_is_put_back_all_the_same() -> None:
    told = "acme: act failed: ValueError: no luck"
    with pytest.raises(PluginError, match=told), Boundary("acme", "act"):
        json.dumps = str  # type: ignore[assignment]
        raise ValueError("no luck")
    assert whole()


def test_of_calls_that_overlap_the_one_that_ends_first_is_named() -> None:
    async def main() -> None:
        with Boundary("outer", "parse"):
            with pytest.raises(PluginError, match="inner: act failed"):
                async with answering("inner", "act"):
                    json.dumps = str  # type: ignore[assignment]
            assert whole()

    run_loop(main())


def test_what_was_replaced_before_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json, "dumps", str)
    with Boundary("acme", "parse"):
        pass
    assert vars(json)["dumps"] is str


def test_a_built_in_s_library_may_replace_what_it_likes(monkeypatch: pytest.MonkeyPatch) -> None:
    with Boundary("policy 'litellm' of mlxlab 0.1.0", "act"):
        monkeypatch.setattr(json, "dumps", str)
    assert vars(json)["dumps"] is str


def test_what_is_written_and_hashed_does_not_ask_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    changed = {"b": FileRef(sha256="0" * 64), "a": FileRef(kind="dir")}
    change = StateChange(parent="clean", changed=changed)
    before = change.id
    for owner, name in ((json, "dumps"), (json, "JSONEncoder"), (json, "loads")):
        monkeypatch.setattr(owner, name, lambda *args, **options: "{}")
    assert change.id == before
    assert reference([]) != reference_of_nothing()


def reference_of_nothing() -> str:
    import hashlib

    return hashlib.sha256(b"{}").hexdigest()


def test_nothing_is_left_of_calls_that_ended() -> None:
    with Boundary("acme", "parse"):
        assert shared._inside
    assert not shared._inside
