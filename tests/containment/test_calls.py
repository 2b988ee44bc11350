"""A named component that goes wrong costs its own run, with one line that names it."""

from __future__ import annotations

import asyncio
import signal
import threading
from pathlib import Path

import pytest

from mlxlab.core.errors import MlxError, PluginError, UnknownComponent
from mlxlab.core.hooks import Hooks
from mlxlab.core.launch import RunOptions, new_run, resumed_run
from mlxlab.core.loops import run_loop
from mlxlab.core.records import Step
from mlxlab.core.registry import Registry
from mlxlab.core.runs import RunFolder, list_runs
from tests.containment import parts

CALLS = {
    "scaffold": ("propose", "prompt", "parse", "render", "form", "written"),
    "policy": ("act",),
    "sandbox": ("open", "run", "read", "write", "remove", "snapshot", "restore", "packages"),
    "task": ("info", "prepare", "grader"),
}
RAISED = ("raise", "base", "hang")
MORE = {"propose": ("exit", "interrupt", "spin"), "parse": ("spin",),
        "act": ("exit", "interrupt", "spin"), "run": ("interrupt",)}  # fmt: skip
TYPED = {"propose", "prompt", "parse", "render", "form", "act", "run", "read", "snapshot",
         "packages", "info", "grader"}  # fmt: skip
NUMBERED = {"propose": "nan", "prompt": "huge", "written": "huge", "info": "nan"}
EVERY = [
    (kind, call, fault)
    for kind, calls in CALLS.items()
    for call in calls
    for fault in (*RAISED, *MORE.get(call, ()), *["type"] * (call in TYPED), NUMBERED.get(call))
    if fault
]
BEFORE = ("info", "prepare", "grader", "open", "packages")
"""Calls that come before any step."""


def options(folder: Path, **specs: str) -> RunOptions:
    whole = {"task": "bad", "scaffold": "bad", "policy": "bad", "sandbox": "bad"} | specs
    reward = whole.pop("reward", "bad")
    return RunOptions(**whole, rewards=(reward,), steps=3, out=folder)  # type: ignore[arg-type]


def run(folder: Path, registry: Registry, **specs: str) -> None:
    run_loop(new_run(options(folder, **specs), Hooks(), registry).run())


def policy_for(call: str) -> str:
    """A policy whose answers make a scaffold's call necessary."""
    return {"render": "bad?call=an action", "written": "bad?call=fields"}.get(call, "bad")


def recorded(folder: Path) -> tuple[RunFolder, list[Step]]:
    (found,) = list_runs(folder)
    return found, found.steps()


@pytest.mark.parametrize(("kind", "call", "fault"), EVERY)
def test_it_costs_its_own_run_and_is_named(
    tmp_path: Path, registry: Registry, kind: str, call: str, fault: str
) -> None:
    after = 0 if call in BEFORE else 2 if kind == "sandbox" else 1
    spec = f"bad?call={call}&fault={fault}&after={after}"
    out = tmp_path / "runs"
    with pytest.raises(MlxError) as caught:
        run(out, registry, **{"policy": policy_for(call), kind: spec})
    line = str(caught.value)
    assert f"{kind} 'bad' of acme-parts 1.2" in line
    assert "\n" not in line and len(line) < 400
    assert call in line or fault == "type" or call == "propose"
    if kind == "task":
        assert not list_runs(out)
        return
    found, steps = recorded(out)
    assert (found.manifest().status, found.manifest().error) == ("failed", line)
    assert bool(steps) is (call not in BEFORE)
    parts.ARMED[0] = False
    run_loop(resumed_run(found, Hooks(), registry=registry).run())
    assert found.manifest().status == "done"
    assert [step.step for step in found.steps()] == [0, 1, 2]


@pytest.mark.parametrize("fault", ["raise", "base", "exit", "type", "nan", "huge"])
def test_a_reward_costs_its_own_value(tmp_path: Path, registry: Registry, fault: str) -> None:
    run(tmp_path / "runs", registry, reward=f"bad?call=judge&fault={fault}&after=1")
    found, steps = recorded(tmp_path / "runs")
    values = [next(iter(step.rewards.values())) for step in steps]
    assert [value.value for value in values] == [1.0, None, None]
    assert values[1].reason.startswith("reward 'bad' of acme-parts 1.2: judge")
    assert found.manifest().status == "done"


def test_a_reward_that_hangs_ends_the_run(tmp_path: Path, registry: Registry) -> None:
    with pytest.raises(PluginError, match=r"reward 'bad' of acme-parts 1\.2: judge took longer"):
        run(tmp_path / "runs", registry, reward="bad?call=judge&fault=hang&after=1")
    found, steps = recorded(tmp_path / "runs")
    assert len(steps) == 1
    parts.ARMED[0] = False
    run_loop(resumed_run(found, Hooks(), registry=registry).run())
    assert len(found.calls()) == len(found.steps()) == 3


@pytest.mark.parametrize("fault", ["raise", "nan", "huge"])
def test_a_grader_costs_its_own_verdict(tmp_path: Path, registry: Registry, fault: str) -> None:
    run(tmp_path / "runs", registry, task=f"bad?call=grade&fault={fault}&after=1")
    _, steps = recorded(tmp_path / "runs")
    assert [step.observation.status for step in steps] == ["ok", *["invalid_submission"] * 2]
    if fault == "raise":
        said = "task 'bad' of acme-parts 1.2: grade raised ValueError"
        assert said in steps[1].observation.message
        assert "luck" not in steps[1].observation.message


@pytest.mark.parametrize("fault", ["base", "type", "hang", "spin"])
def test_a_grader_that_is_none_ends_the_run(tmp_path: Path, registry: Registry, fault: str) -> None:
    with pytest.raises(PluginError, match=r"task 'bad' of acme-parts 1\.2: grade"):
        run(tmp_path / "runs", registry, task=f"bad?call=grade&fault={fault}&after=1")
    found, steps = recorded(tmp_path / "runs")
    assert (len(steps), found.manifest().status) == (1, "failed")


@pytest.mark.parametrize("fault", ["nan", "huge"])
def test_numbers_that_nobody_can_count_with_are_left_out_of_an_answer(
    tmp_path: Path, registry: Registry, fault: str
) -> None:
    run(tmp_path / "runs", registry, policy=f"bad?call=act&fault={fault}")
    found, _ = recorded(tmp_path / "runs")
    for call in found.calls():
        answer = call.completion
        assert answer is not None and len(answer.text) < 5_000_000
        assert (answer.cost_usd, answer.latency_s, answer.logprobs) == (None, 0.0, None)
        assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (None, None)
        assert len(answer.notes) == 5
    assert found.manifest().status == "done"


@pytest.mark.parametrize("fault", ["nan", "huge"])
def test_an_execution_s_odd_values_are_bounded(
    tmp_path: Path, registry: Registry, fault: str
) -> None:
    run(tmp_path / "runs", registry, sandbox=f"bad?call=run&fault={fault}")
    _, steps = recorded(tmp_path / "runs")
    assert {step.observation.duration_s for step in steps} == {0.0}
    assert max(len(step.observation.stdout) for step in steps) < 25_000


@pytest.mark.parametrize("kind", ["policy", "sandbox"])
@pytest.mark.parametrize("fault", ["raise", "base", "hang"])
def test_closing_hides_nothing(tmp_path: Path, registry: Registry, kind: str, fault: str) -> None:
    run(tmp_path / "runs", registry, **{kind: f"bad?call=close&fault={fault}"})
    found, steps = recorded(tmp_path / "runs")
    assert (found.manifest().status, len(steps)) == ("done", 3)


@pytest.mark.parametrize("fault", ["raise", "base", "exit"])
def test_what_cannot_be_made_is_named(tmp_path: Path, registry: Registry, fault: str) -> None:
    who = r"scaffold 'raises' of acme-parts 1\.2 could not be made: "
    with pytest.raises(PluginError, match=who):
        run(tmp_path / "runs", registry, scaffold=f"raises?fault={fault}")
    assert not list_runs(tmp_path / "runs")


def test_what_lacks_everything_is_named(tmp_path: Path, registry: Registry) -> None:
    with pytest.raises(PluginError, match=r"scaffold 'hollow' of acme-parts 1\.2 is no scaffold"):
        run(tmp_path / "runs", registry, scaffold="hollow")


def test_an_alias_source_that_fails_costs_only_its_own_names(registry: Registry) -> None:
    entry, meant = registry.resolve("policy", parts_spec("deepseek-r1"))
    assert (entry.distribution, meant.name) == ("mlxlab", "litellm")
    with pytest.raises(UnknownComponent) as caught:
        registry.resolve("policy", parts_spec("deepsek-r1"))
    assert caught.value.hint.startswith("Did you mean 'deepseek-r1'?")
    told = "The aliases 'bad' of acme-parts 1.2 failed: SystemExit: no aliases today."
    assert told in caught.value.hint
    names, failed = registry.aliases("policy")
    assert "deepseek-r1" in names
    assert [error.message for _, error in failed] == [told]


def parts_spec(text: str):  # type: ignore[no-untyped-def]
    from mlxlab.core.spec import Spec

    return Spec.parse(text)


def test_hooks_that_hang_are_called_once_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from mlxlab.core.hooks import hookimpl
    from mlxlab.core.watch import watching

    heard: list[str] = []

    class Hangs:
        @hookimpl
        def mlx_run_resumed(self) -> None:
            heard.append("bad")
            threading.Event().wait(60)

    class Hears:
        @hookimpl
        def mlx_run_resumed(self) -> None:
            heard.append("good")

    monkeypatch.setenv("MLX_CALL_LIMIT", "0.3")
    hooks = Hooks()
    hooks.register(Hangs(), "acme 1.2 (bad)")
    hooks.register(Hears(), "good")
    with watching():
        hooks.run_resumed()
        hooks.run_resumed()
    assert sorted(heard) == ["bad", "good", "good"]
    assert "took longer than 0.3 s" in hooks.broken["acme 1.2 (bad)"]


def test_the_watch_leaves_nothing_behind(tmp_path: Path, registry: Registry) -> None:
    before = signal.getsignal(signal.SIGURG)
    run(tmp_path / "runs", registry)
    assert signal.getsignal(signal.SIGURG) is before
    assert "mlxlab watch" not in [thread.name for thread in threading.enumerate()]


def test_a_loop_in_another_thread_is_watched_too(tmp_path: Path, registry: Registry) -> None:
    failed: list[BaseException] = []

    def work() -> None:
        runner = new_run(options(tmp_path / "runs", reward="bad?call=judge&fault=spin"),
                         Hooks(), registry)  # fmt: skip
        try:
            asyncio.run(runner.run())
        except PluginError as error:
            failed.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(30)
    assert "reward 'bad' of acme-parts 1.2: judge took longer than 0.3 s" in str(failed[0])
