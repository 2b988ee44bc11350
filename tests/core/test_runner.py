import asyncio
import json
import shutil
from collections import Counter
from pathlib import Path

import pytest

from mlxlab.core.errors import PluginError, PolicyError, RecordError
from mlxlab.core.hooks import Hooks, hookimpl
from mlxlab.core.manifest import BudgetLimits
from mlxlab.core.policy import PolicyRequest
from mlxlab.core.records import Completion, Step
from mlxlab.core.runs import RunFolder, RunWriter
from mlxlab.testing import ConstantReward, MemorySandbox, ScriptedPolicy
from tests.support import JsonScaffold, code, make_runner, play, result


def replies(count: int) -> list[str]:
    return [code([float(n)] * 8) for n in range(count)]


def by_step(request: PolicyRequest) -> str:
    return code([float(request.decision.step)] * 8)


def run(runner: object) -> None:
    asyncio.run(runner.run())  # type: ignore[attr-defined]


def test_a_run_records_every_step_and_hands_in_the_best(tmp_path: Path) -> None:
    policy = ScriptedPolicy(replies(5))
    run(make_runner(tmp_path, policy, rewards={"one": ConstantReward()}))

    folder = RunFolder(tmp_path)
    manifest, steps = folder.manifest(), folder.steps()
    assert manifest.status == "done"
    assert [step.step for step in steps] == [0, 1, 2, 3, 4]
    assert [step.parent for step in steps] == [None, 0, 1, 2, 3]
    assert [step.state for step in steps[1:]] == [step.next_state for step in steps[:-1]]
    assert [step.observation.public_score for step in steps] == [4.0, 3.0, 2.5, 2.0, 2.0]
    assert [step.decision.score for step in steps] == [None, 4.0, 3.0, 2.5, 2.0]
    assert steps[0].observation.self_score == 0.5
    assert steps[0].rewards["one"].value == 1.0
    assert manifest.best is not None
    assert (manifest.best.step, manifest.best.public_score) == (3, 2.0)
    assert folder.private_scores()[3].score == 2.0
    assert (tmp_path / "scores.jsonl").stat().st_mode & 0o777 == 0o600
    assert json.loads((tmp_path / "best" / "solution.py").read_text()) == [3.0] * 8
    assert (tmp_path / "best" / "submission.csv").read_text().startswith("id,y\n0,3.0")
    assert manifest.spent.calls == manifest.spent.steps == 5


def test_the_prompt_of_a_step_is_what_the_policy_was_asked(tmp_path: Path) -> None:
    policy = ScriptedPolicy(replies(3))
    run(make_runner(tmp_path, policy, steps=3))
    folder = RunFolder(tmp_path)
    for step, request in zip(folder.steps(), policy.requests, strict=True):
        assert tuple(folder.prompt(step.prompt or "")) == request.messages


def test_an_unreadable_answer_is_asked_again_and_then_a_step(tmp_path: Path) -> None:
    policy = ScriptedPolicy(["?", code([1.0] * 8), "?", "??"])
    run(make_runner(tmp_path, policy, steps=2))
    good, bad = RunFolder(tmp_path).steps()
    assert (good.calls, good.observation.status) == ((0, 1), "ok")
    assert [m.content for m in policy.requests[1].messages[1:]] == ["?", "Send one action as JSON."]
    assert (bad.action, bad.observation.status) == (None, "invalid_action")
    assert bad.observation.message == "no action: 1 errors"
    assert bad.next_state == bad.state


@pytest.mark.parametrize("workers", [1, 3])
def test_a_run_cut_anywhere_resumes_to_the_same_record(tmp_path: Path, workers: int) -> None:
    """Every prefix of what a run writes is a crash; each resumes, and no call is made twice."""

    def make(folder: Path, policy: ScriptedPolicy) -> None:
        scaffold = JsonScaffold(chain=workers == 1)
        run(make_runner(folder, policy, scaffold=scaffold, workers=workers, steps=4))

    whole = tmp_path / "whole"
    make(whole, ScriptedPolicy(by_step))
    expected = outcome(RunFolder(whole).steps())
    steps, calls = (whole / "steps.jsonl").read_bytes(), (whole / "calls.jsonl").read_bytes()
    cuts = range(0, len(steps), len(steps) // 12)
    for cut in cuts:
        folder = tmp_path / str(cut)
        shutil.copytree(whole, folder)
        (folder / "steps.jsonl").write_bytes(steps[:cut])
        recorded = calls[: len(calls) * (cut + 40) // len(steps)]
        (folder / "calls.jsonl").write_bytes(recorded)
        policy = ScriptedPolicy(by_step)
        make(folder, policy)
        again = RunFolder(folder)
        assert outcome(again.steps()) == expected
        made = Counter((call.step, call.index) for call in again.calls())
        assert set(made.values()) == {1}
        assert again.manifest().status == "done"


def outcome(steps: list[Step]) -> dict[int, tuple[object, ...]]:
    """What a step did; a parallel run may record its steps in another order."""
    assert len({step.step for step in steps}) == len(steps)
    return {
        step.step: (step.action, step.observation.public_score, step.next_state) for step in steps
    }


def test_private_scores_change_no_action(tmp_path: Path) -> None:
    """The same public scores with other private ones: the same decisions, prompts and actions."""
    seen = []
    for name, shift in (("a", 0.0), ("b", 5.3)):
        values = [[float(n) + (shift if row % 2 == 0 else 0) for row in range(8)] for n in range(4)]
        policy = ScriptedPolicy([code(v) for v in values])
        run(make_runner(tmp_path / name, policy, steps=4))
        folder = RunFolder(tmp_path / name)
        seen.append([(s.decision.score, s.prompt, s.parent) for s in folder.steps()])
        private = {s.score for s in folder.private_scores().values()}
        texts = [m.content for s in folder.steps() for m in folder.prompt(s.prompt or "")]
        if shift:
            assert not any(str(score) in text for score in private for text in texts)
    assert seen[0] == seen[1]


def test_feedback_private_reaches_the_scaffold_and_nothing_else_does(tmp_path: Path) -> None:
    for feedback, expected in (("private", "[4.0]"), ("none", "[None]"), ("self", "[0.5]")):
        policy = ScriptedPolicy([code([0.0 if row % 2 else row + 4.0 for row in range(8)])] * 2)
        run(make_runner(tmp_path / feedback, policy, steps=2, feedback=feedback))
        assert policy.requests[1].messages[0].content.endswith(expected)


def test_a_passing_fault_is_tried_again_and_a_lasting_one_stops_resumable(tmp_path: Path) -> None:
    fault = PolicyError("429", retryable=True, retry_after_s=0.01)
    lasting = PolicyError("The key is refused.")
    with pytest.raises(PolicyError, match="refused"):
        run(make_runner(tmp_path, ScriptedPolicy([fault, code([0.0] * 8), lasting]), steps=2))
    folder = RunFolder(tmp_path)
    assert folder.manifest().status == "failed"
    assert folder.manifest().error == "The key is refused."
    assert [call.error for call in folder.calls()] == ["429", None, "The key is refused."]
    assert folder.steps()[0].completion is not None
    assert folder.steps()[0].completion.attempts == 2

    run(make_runner(tmp_path, ScriptedPolicy([code([1.0] * 8)])))
    assert folder.manifest().status == "done"
    assert len(folder.steps()) == 2


def test_patience_ends(tmp_path: Path) -> None:
    fault = PolicyError("down", retryable=True, retry_after_s=0.05)
    policy = ScriptedPolicy([fault] * 1000)
    with pytest.raises(PolicyError, match="down"):
        run(make_runner(tmp_path, policy, patience_s=0.3))
    assert 2 <= len(policy.requests) <= 7


def test_a_broken_component_is_named(tmp_path: Path) -> None:
    told = r"policy 'test' of tests 0: act failed: ValueError: oops"
    with pytest.raises(PluginError, match=told):
        run(make_runner(tmp_path / "a", ScriptedPolicy([ValueError("oops")])))

    class Broken(JsonScaffold):
        def parse(self, decision: object, completion: object) -> object:  # type: ignore[override]
            raise KeyError("oops")

    with pytest.raises(PluginError, match="scaffold 'test' of tests 0: parse failed"):
        run(make_runner(tmp_path / "b", ScriptedPolicy(["x"]), scaffold=Broken()))


def test_budgets_stop_a_run(tmp_path: Path) -> None:
    paid = Completion(text=code([0.0] * 8), cost_usd=0.4)
    budget = BudgetLimits(steps=10, max_cost_usd=1.0)
    run(make_runner(tmp_path / "cost", ScriptedPolicy([paid] * 10), budget=budget))
    assert RunFolder(tmp_path / "cost").manifest().spent.cost_usd == pytest.approx(1.2)

    unknown = Completion(text=code([0.0] * 8))
    run(make_runner(tmp_path / "unknown", ScriptedPolicy([unknown] * 2), steps=2))
    assert RunFolder(tmp_path / "unknown").manifest().spent.cost_usd is None

    slow = ScriptedPolicy(replies(1000), latency_s=0.05)
    budget = BudgetLimits(steps=1000, time_s=0.5)
    run(make_runner(tmp_path / "time", slow, budget=budget))
    steps = RunFolder(tmp_path / "time").steps()
    assert 1 <= len(steps) < 15
    assert steps[0].decision.limits.wall_s <= 1.0


def test_a_final_answer_ends_the_run(tmp_path: Path) -> None:
    policy = ScriptedPolicy([code([0.0] * 8), '{"type": "final_answer"}', code([1.0] * 8)])
    run(make_runner(tmp_path, policy))
    assert len(RunFolder(tmp_path).steps()) == 2
    run(make_runner(tmp_path, policy))
    assert len(RunFolder(tmp_path).steps()) == 2


def test_workers_overlap(tmp_path: Path) -> None:
    policy = ScriptedPolicy(by_step, latency_s=0.2)
    scaffold = JsonScaffold(chain=False)
    run(make_runner(tmp_path, policy, scaffold=scaffold, workers=4, steps=8))
    folder = RunFolder(tmp_path)
    first_end = min(step.ended_at for step in folder.steps())
    assert sum(step.started_at < first_end for step in folder.steps()) == 4
    assert sorted(step.step for step in folder.steps()) == list(range(8))
    assert max(step.decision.seen for step in folder.steps()) >= 4


def test_an_engine_that_fails_is_replaced_once(tmp_path: Path) -> None:
    from mlxlab.core.errors import SandboxError

    failures = iter([SandboxError("engine gone"), None, None, None])
    made = []

    def flaky(script: str, files: dict[str, bytes]) -> object:
        error = next(failures)
        if error:
            raise error
        return play(script, files)

    def sandbox() -> MemorySandbox:
        made.append(MemorySandbox(flaky))  # type: ignore[arg-type]
        return made[-1]

    run(make_runner(tmp_path, ScriptedPolicy(replies(3)), sandbox=sandbox, steps=3))
    assert [len(made), made[0].closed, made[1].closed] == [2, 1, 1]
    assert all(s.observation.status == "ok" for s in RunFolder(tmp_path).steps())


def test_cancelling_leaves_a_resumable_run(tmp_path: Path) -> None:
    async def interrupted() -> None:
        runner = make_runner(tmp_path, ScriptedPolicy(replies(9), latency_s=0.1), steps=4)
        task = asyncio.create_task(runner.run())
        while not (tmp_path / "steps.jsonl").stat().st_size:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(interrupted())
    folder = RunFolder(tmp_path)
    assert folder.manifest().status == "interrupted"
    assert 1 <= len(folder.steps()) < 4
    run(make_runner(tmp_path, ScriptedPolicy(by_step)))
    assert len(folder.steps()) == 4


def test_one_process_writes_a_run(tmp_path: Path) -> None:
    writer = RunWriter(tmp_path)
    with pytest.raises(RecordError, match="another process"):
        RunWriter(tmp_path)
    writer.close()
    RunWriter(tmp_path).close()


def test_hooks_are_told_and_a_failing_one_costs_nobody(tmp_path: Path) -> None:
    told: list[str] = []

    class Good:
        @hookimpl
        def mlx_step_recorded(self, step: Step) -> None:
            told.append(f"step {step.step}")

        @hookimpl
        def mlx_run_ended(self) -> None:
            told.append("end")

    class Bad:
        @hookimpl
        def mlx_step_recorded(self) -> None:
            raise RuntimeError("hook bug")

    class Typo:
        @hookimpl
        def mlx_step_recorderd(self) -> None: ...

    hooks = Hooks()
    hooks.register(Good(), "good")
    hooks.register(Bad(), "bad")
    with pytest.raises(Exception, match="mlx_step_recorderd"):
        hooks.register(Typo(), "typo")
    run(make_runner(tmp_path, ScriptedPolicy(replies(2)), steps=2, hooks=hooks))
    assert told == ["step 0", "step 1", "end"]
    assert "hook bug" in hooks.broken["bad"]


def test_outcomes_of_programs_are_statuses(tmp_path: Path) -> None:
    wanted = {
        "timeout": "timeout",
        "oom": "oom",
        "killed": "killed",
        "crash": "error",
        "nothing": "no_submission",
        "[1, 2]": "invalid_submission",
    }
    actions = [json.dumps({"type": "run_code", "code": program}) for program in wanted]
    run(make_runner(tmp_path, ScriptedPolicy(actions), steps=len(wanted)))
    steps = RunFolder(tmp_path).steps()
    assert [step.observation.status for step in steps] == list(wanted.values())
    assert "ValueError: crash" in steps[3].observation.message
    assert "submission.csv" in steps[4].observation.message
    assert RunFolder(tmp_path).manifest().best is None
    assert result().exit_code == 0
