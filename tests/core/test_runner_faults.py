"""What may go wrong around the loop, and what must survive it."""

import asyncio
import json
import math
import shutil
from pathlib import Path
from random import Random
from typing import Any

import pytest

from mlxlab.core.actions import RunCode
from mlxlab.core.errors import PluginError, PolicyError, RecordError, SandboxError
from mlxlab.core.manifest import BudgetLimits
from mlxlab.core.policy import PolicyRequest
from mlxlab.core.records import Completion, Decision, RewardValue
from mlxlab.core.runs import RunFolder, RunWriter
from mlxlab.core.scaffold import Stop, Wait
from mlxlab.core.states import FileRef, StateChange, StateStore
from mlxlab.core.tree import TreeView
from mlxlab.testing import ConstantReward, MemorySandbox, ScriptedPolicy
from tests.support import JsonScaffold, code, make_runner, play

GOOD = code([0.0] * 8)


def run(runner: Any) -> None:
    asyncio.run(runner.run())


def by_step(request: PolicyRequest) -> str:
    return code([float(request.decision.step)] * 8)


class Uneven(ScriptedPolicy):
    """Answers the first steps last, so that workers end in another order."""

    async def act(self, request: PolicyRequest) -> Completion:
        await asyncio.sleep(0.02 * (5 - request.decision.step % 5))
        return await super().act(request)


def test_parallel_steps_cut_anywhere_keep_their_numbers(tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    options = {"scaffold": JsonScaffold(chain=False), "workers": 3, "steps": 6}
    run(make_runner(whole, Uneven(by_step), **options))
    calls = (whole / "calls.jsonl").read_bytes().splitlines(keepends=True)
    assert [json.loads(line)["step"] for line in calls[:3]] == [2, 1, 0]
    for kept in range(len(calls) + 1):
        folder = tmp_path / str(kept)
        shutil.copytree(whole, folder)
        (folder / "calls.jsonl").write_bytes(b"".join(calls[:kept]))
        (folder / "steps.jsonl").write_bytes(b"")
        run(make_runner(folder, Uneven(by_step), scaffold=JsonScaffold(chain=False)))
        assert sorted(step.step for step in RunFolder(folder).steps()) == list(range(6))
        assert len(RunFolder(folder).calls()) == 6


class AtHand(ScriptedPolicy):
    """Says that its answers are at hand, though they may not be at once."""

    def bound(self, request: PolicyRequest) -> tuple[int, int]:
        return 0, 0


def test_what_may_pass_is_tried_again_though_the_answer_is_said_to_be_at_hand(
    tmp_path: Path,
) -> None:
    replies = [PolicyError("Not yet.", retryable=True, retry_after_s=0.01), GOOD, GOOD]
    run(make_runner(tmp_path, AtHand(replies), steps=2))
    calls = RunFolder(tmp_path).calls()
    assert [call.error for call in calls] == ["Not yet.", None, None]
    assert len(RunFolder(tmp_path).steps()) == 2


def test_what_cannot_pass_is_not_tried_again(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="Never"):
        run(make_runner(tmp_path, AtHand([PolicyError("Never."), GOOD]), steps=1))
    assert len(RunFolder(tmp_path).calls()) == 1


class Waitless:
    """Its `act` is no coroutine."""

    def act(self, request: PolicyRequest) -> Completion:
        return Completion(text=GOOD)

    async def close(self) -> None: ...


def test_a_policy_that_is_not_async_is_told_what_to_write(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match=r"act is not async\. Write async def act"):
        policy: Any = Waitless()
        run(make_runner(tmp_path, policy, steps=1))


class ByNumber(JsonScaffold):
    """Hands a node's number over where the node is wanted."""

    def propose(self, tree: TreeView, rng: Random) -> Decision | Wait | Stop:
        number: Any = tree.nodes[-1].id if tree.nodes else None
        return tree.decide("improve", number)


def test_a_parent_that_is_no_node_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match="TypeError: decide: parent is int, no Node"):
        run(make_runner(tmp_path, ScriptedPolicy(by_step), scaffold=ByNumber(), steps=2))
    assert len(RunFolder(tmp_path).steps()) == 1


def test_steps_in_flight_end_although_the_scaffold_fails(tmp_path: Path) -> None:
    class Fails(JsonScaffold):
        def propose(self, tree: TreeView, rng: Random) -> Decision | Wait | Stop:
            if len(tree.nodes) == 1:
                raise ValueError("no idea")
            return super().propose(tree, rng)

    options = {"scaffold": Fails(chain=False), "workers": 3, "steps": 6}
    with pytest.raises(PluginError, match="no idea"):
        run(make_runner(tmp_path, Uneven(by_step), **options))
    folder = RunFolder(tmp_path)
    first, *others = [step.step for step in folder.steps()]
    assert first == 2 and sorted(others) == [0, 1]
    assert folder.manifest().status == "failed"


def test_a_paid_answer_is_used_although_the_money_is_spent(tmp_path: Path) -> None:
    paid = Completion(text=GOOD, cost_usd=0.6)
    budget = BudgetLimits(steps=10, max_cost_usd=1.0)
    run(make_runner(tmp_path, ScriptedPolicy([paid] * 5), budget=budget))
    lines = (tmp_path / "steps.jsonl").read_bytes().splitlines(keepends=True)
    assert len(lines) == 2
    (tmp_path / "steps.jsonl").write_bytes(lines[0])
    run(make_runner(tmp_path, ScriptedPolicy([])))
    folder = RunFolder(tmp_path)
    assert len(folder.steps()) == len(folder.calls()) == 2
    assert folder.manifest().ended == "the money is spent"


def test_repairs_stop_where_the_money_does(tmp_path: Path) -> None:
    paid = Completion(text="no action", cost_usd=1.0)
    budget = BudgetLimits(steps=10, max_cost_usd=0.5)
    run(make_runner(tmp_path, ScriptedPolicy([paid] * 5), budget=budget))
    folder = RunFolder(tmp_path)
    assert folder.manifest().spent.cost_usd == 1.0
    assert [step.observation.status for step in folder.steps()] == ["invalid_action"]


def test_a_limit_of_money_ends_a_run_whose_prices_are_unknown(tmp_path: Path) -> None:
    unknown = Completion(text=GOOD)
    budget = BudgetLimits(steps=10, max_cost_usd=0.5)
    run(make_runner(tmp_path, ScriptedPolicy([unknown] * 5), budget=budget))
    folder = RunFolder(tmp_path)
    assert len(folder.steps()) == 1
    assert "price is unknown" in (folder.manifest().ended or "")


def test_why_a_run_ended_is_recorded(tmp_path: Path) -> None:
    run(make_runner(tmp_path / "steps", ScriptedPolicy(by_step), steps=1))
    assert RunFolder(tmp_path / "steps").manifest().ended == "the steps are done"

    class Content(JsonScaffold):
        def propose(self, tree: Any, rng: Any) -> Any:
            return Stop(reason="good enough") if tree.nodes else super().propose(tree, rng)

    run(make_runner(tmp_path / "stop", ScriptedPolicy(by_step), scaffold=Content()))
    ended = RunFolder(tmp_path / "stop").manifest().ended
    assert ended == "the scaffold stopped: good enough"


def test_closing_that_fails_hides_nothing(tmp_path: Path) -> None:
    class Stuck(MemorySandbox):
        async def close(self) -> None:
            raise SandboxError("cannot be removed")

    class Clinging(ScriptedPolicy):
        async def close(self) -> None:
            raise RuntimeError("connection lost")

    run(make_runner(tmp_path, Clinging([GOOD]), sandbox=lambda: Stuck(play), steps=1))
    folder = RunFolder(tmp_path)
    assert folder.manifest().status == "done"
    assert (tmp_path / "best" / "solution.py").exists()
    RunWriter(tmp_path).close()


def test_an_engine_that_does_not_open_is_named(tmp_path: Path) -> None:
    class Closed(MemorySandbox):
        async def open(self, setup: Any) -> None:
            raise SandboxError("no engine here")

    with pytest.raises(SandboxError, match="no engine here"):
        run(make_runner(tmp_path, ScriptedPolicy([GOOD]), sandbox=lambda: Closed(play)))
    assert RunFolder(tmp_path).manifest().error == "no engine here"


def test_a_failure_lets_the_other_workers_paid_steps_end(tmp_path: Path) -> None:
    class OneFails(ScriptedPolicy):
        async def act(self, request: PolicyRequest) -> Completion:
            if request.decision.step == 0:
                raise PolicyError("refused")
            await asyncio.sleep(0.1)
            return await super().act(request)

    scaffold = JsonScaffold(chain=False)
    with pytest.raises(PolicyError, match="refused"):
        run(make_runner(tmp_path, OneFails(by_step), scaffold=scaffold, workers=3))
    assert sorted(step.step for step in RunFolder(tmp_path).steps()) == [1, 2]


def test_values_that_json_has_no_words_for_read_back(tmp_path: Path) -> None:
    class Odd(ConstantReward):
        def judge(self, step: Any, task: Any) -> RewardValue:
            return RewardValue(value=1.0, reason="\ud800", parts={"x": math.nan})

    answer = Completion(
        text=GOOD,
        reasoning="half a smile \ud83d",
        cost_usd=1.0,
        logprobs=(-math.inf, -0.5),
        token_ids=(1, 2),
        tool_calls=({"id": object()},),
    )
    run(make_runner(tmp_path, ScriptedPolicy([answer]), rewards={"odd": Odd()}, steps=1))
    folder = RunFolder(tmp_path)
    (call,), (step,) = folder.calls(), folder.steps()
    assert call.completion is not None
    assert call.completion.logprobs == (-math.inf, -0.5)
    assert call.completion.reasoning == "half a smile \N{REPLACEMENT CHARACTER}"
    assert math.isnan(step.rewards["odd"].parts["x"])


def test_an_answer_is_recorded_before_the_scaffold_touches_it(tmp_path: Path) -> None:
    class NoRender(JsonScaffold):
        def render(self, decision: Any, action: Any) -> str:
            raise ValueError("cannot")

    answer = Completion(action=RunCode(code="[]"), cost_usd=1.0)
    with pytest.raises(PluginError, match="render failed"):
        run(make_runner(tmp_path, ScriptedPolicy([answer]), scaffold=NoRender()))
    (call,) = RunFolder(tmp_path).calls()
    assert call.completion is not None
    assert call.completion.cost_usd == 1.0


def test_a_policy_that_breaks_is_recorded(tmp_path: Path) -> None:
    with pytest.raises(PluginError):
        run(make_runner(tmp_path, ScriptedPolicy([ValueError("bug")])))
    (call,) = RunFolder(tmp_path).calls()
    assert "ValueError: bug" in (call.error or "")


@pytest.mark.parametrize(("method", "words"), [("propose", "proposed a int"), ("parse", "int")])
def test_a_scaffold_of_wrong_types_is_named(tmp_path: Path, method: str, words: str) -> None:
    scaffold = JsonScaffold()
    setattr(scaffold, method, lambda *_: 7)
    with pytest.raises(PluginError, match=words):
        run(make_runner(tmp_path, ScriptedPolicy([GOOD]), scaffold=scaffold))


def test_public_scores_reach_nobody_who_is_not_told_them(tmp_path: Path) -> None:
    policy = ScriptedPolicy(by_step)
    run(make_runner(tmp_path, policy, steps=3, feedback="none"))
    assert [request.decision.score for request in policy.requests] == [None] * 3
    assert [step.decision.score for step in RunFolder(tmp_path).steps()] == [None, 4.0, 3.0]


def test_a_refused_final_answer_ends_nothing(tmp_path: Path) -> None:
    policy = ScriptedPolicy(['{"type": "final_answer"}'] * 3)
    run(make_runner(tmp_path, policy, scaffold=JsonScaffold(chain=False), steps=3))
    steps = RunFolder(tmp_path).steps()
    assert [step.observation.status for step in steps] == ["invalid_action"] * 3


def test_a_folder_in_the_programs_place_is_replaced(tmp_path: Path) -> None:
    sandbox = MemorySandbox(play)
    sandbox.files["solution.py"] = b"a folder, as far as this sandbox goes"
    removed = []
    remove = sandbox.remove

    async def noted(path: str) -> None:
        removed.append(path)
        await remove(path)

    sandbox.remove = noted  # type: ignore[method-assign]
    run(make_runner(tmp_path, ScriptedPolicy([GOOD]), sandbox=lambda: sandbox, steps=1))
    assert "solution.py" in removed


def test_a_strangers_record_reaches_no_file_of_the_host(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("key")
    writer = RunWriter(tmp_path / "run")
    prompt = writer._put(json.dumps([{"role": "user", "content": str(secret)}]))
    with pytest.raises(RecordError):
        writer.prompt(prompt)
    with pytest.raises(RecordError):
        writer.prompt(str(secret))
    writer.close()

    states = tmp_path / "run" / "states"
    store = StateStore(states)
    with pytest.raises(ValueError, match="sha256"):
        FileRef(sha256=str(secret))
    change = StateChange.model_construct(
        parent="clean", changed={"x": FileRef.model_construct(sha256=str(secret))}, removed=()
    )
    (states / f"{change.id}.json").write_text(change.model_dump_json())
    with pytest.raises(RecordError):
        store.manifest(change.id)


@pytest.mark.parametrize("name", ["steps.jsonl", "run.json.new", "best", "scratch", ".lock"])
def test_links_in_a_run_folder_are_not_written_through(tmp_path: Path, name: str) -> None:
    victim = tmp_path / "victim"
    victim.mkdir()
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / name).symlink_to(victim)
    with pytest.raises(RecordError):
        RunWriter(tmp_path / "run")
    assert list(victim.iterdir()) == []


def test_a_folder_where_a_file_belongs_is_no_surprise(tmp_path: Path) -> None:
    RunWriter(tmp_path).close()
    half = tmp_path / "messages" / ".x.new"
    (half / "deep").mkdir(parents=True)
    RunWriter(tmp_path).close()
    assert not half.exists()

    steps = tmp_path / "steps.jsonl"
    steps.unlink()
    steps.mkdir()
    with pytest.raises(RecordError, match="directory"):
        RunWriter(tmp_path)
    steps.rmdir()
    RunWriter(tmp_path).close()  # nobody holds the lock


def test_what_a_killed_process_was_writing_is_swept(tmp_path: Path) -> None:
    RunWriter(tmp_path).close()
    store = StateStore(tmp_path / "states")
    left = [tmp_path / "messages" / ".x.new", tmp_path / "states" / "blobs" / ".new-x"]
    for path in left:
        path.write_text("half")
    RunWriter(tmp_path).close()
    assert not any(path.exists() for path in left)

    class Broken:
        def read(self, size: int) -> bytes:
            raise OSError("disk")

    with pytest.raises(OSError, match="disk"):
        store.put(Broken())  # type: ignore[arg-type]
    assert list((tmp_path / "states" / "blobs").iterdir()) == []
