"""Failures that cost no run are recorded, told when it ends, and traced for whoever asks."""

from __future__ import annotations

import asyncio
import gc
import math
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mlxlab.cli.drive import _warn
from mlxlab.cli.result import Result, Values
from mlxlab.core.account import Accounts
from mlxlab.core.actions import CustomAction
from mlxlab.core.boundary import apart
from mlxlab.core.environment import Environment
from mlxlab.core.errors import PluginError
from mlxlab.core.forecast import forecast
from mlxlab.core.hooks import Hooks, hookimpl
from mlxlab.core.launch import new_run, plan_run
from mlxlab.core.loops import run_loop
from mlxlab.core.patience import Patience
from mlxlab.core.records import Completion, RewardValue
from mlxlab.core.registry import Registry
from mlxlab.core.reward import Need
from mlxlab.core.runs import RunFolder, list_runs
from mlxlab.core.states import StateStore
from mlxlab.core.task import Grade, SubmissionContract
from mlxlab.core.watch import watching
from mlxlab.plugins.tasks import built
from mlxlab.plugins.tasks.grading import Answers, TableGrader
from mlxlab.testing import MemorySandbox, ToyTask
from tests.containment import parts
from tests.containment.test_calls import options
from tests.core.training.worlds import arena, off, state
from tests.support import play

VOTE = CustomAction(name="vote").model_dump_json()


class Votes:
    """A hook module with a handler that fails."""

    @hookimpl
    def mlx_action_handlers(self) -> Any:
        async def vote(action: Any, sandbox: Any) -> Any:
            raise ValueError("no\nluck")

        return {"vote": vote}


class Lists:
    """A hook module whose handlers are none."""

    @hookimpl
    def mlx_action_handlers(self) -> Any:
        return ["vote"]


async def voting(self: parts.BadPolicy, request: Any) -> Completion:
    return Completion(text=VOTE)


def ran(folder: Path, registry: Registry, plugin: object | None = None, **specs: str) -> Hooks:
    hooks = Hooks()
    if plugin is not None:
        hooks.register(plugin, "acme 1.2 (votes)")
    run_loop(new_run(options(folder, **specs), hooks, registry).run())
    return hooks


def recorded(folder: Path) -> RunFolder:
    (found,) = list_runs(folder)
    assert found.manifest().status == "done"
    return found


@pytest.mark.parametrize(
    ("kind", "call", "told"),
    [
        ("reward", "judge", "judge, 3 times: ValueError: no luck"),
        ("task", "grade", "grade, 3 times: ValueError"),
        ("policy", "close", "close: ValueError: no luck"),
        ("policy", "bound", "bound, 3 times: ValueError: no luck"),
        ("sandbox", "close", "close: ValueError: no luck"),
        ("hooks", "vote", "its handler of the action 'vote', 3 times: ValueError: no luck"),
    ],
)
def test_each_kind(
    tmp_path: Path,
    registry: Registry,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    kind: str,
    call: str,
    told: str,
) -> None:
    specs, plugin, who = {kind: f"bad?call={call}"}, None, f"{kind} 'bad' of acme-parts 1.2"
    if kind == "hooks":
        specs, plugin, who = {}, Votes(), "acme 1.2 (votes)"
        monkeypatch.setattr(parts.BadPolicy, "act", voting)
    hooks = ran(tmp_path, registry, plugin, **specs)
    assert hooks.broken == {who: told}
    assert recorded(tmp_path).manifest().broken == hooks.broken
    _warn(hooks, set(), "failed")
    assert capsys.readouterr().err == f"mlx: plugin {who} failed: {told}\n"
    monkeypatch.setenv("MLX_DEBUG", "1")
    _warn(hooks, set(), "failed")
    traced = capsys.readouterr().err
    first = traced.split("The plugin's own traceback:\n", 1)[1].splitlines()[1]
    assert "tests/containment/" in first
    assert "luck" in traced


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("type", "returned int, no RewardValue"),
        ("nan", "returned nan, outside [-inf, inf]"),
        ("huge", "returned 1e+308, outside [-inf, inf]"),
    ],
)
def test_a_judgement_that_cannot_be_recorded_is_told_like_one_that_fails(
    tmp_path: Path, registry: Registry, fault: str, said: str
) -> None:
    hooks = ran(tmp_path, registry, reward=f"bad?call=judge&fault={fault}&after=1")
    assert hooks.broken == {"reward 'bad' of acme-parts 1.2": f"judge, 2 times: {said}"}
    found = recorded(tmp_path)
    assert found.manifest().broken == hooks.broken
    (values,) = Result.of(found.path).rewards.values()
    assert values == Values(1.0, steps=1, of=3)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("bound", "bound, 3 times: returned int, no pair of counts or None"),
        ("price", "price: returned int, no Price"),
        ("dearest", "dearest: returned int, no Price"),
    ],
)
def test_what_a_policy_states_wrongly_is_unknown_and_told(
    tmp_path: Path, registry: Registry, call: str, said: str
) -> None:
    hooks = Hooks()
    whole = replace(options(tmp_path, policy=f"bad?call={call}&fault=type"), max_cost_usd=5.0)
    if call == "price":
        plan = plan_run(whole, registry)
        asyncio.run(forecast(plan.manifest, plan.components.policies, tmp_path, hooks.swallowed))
    else:
        run_loop(new_run(whole, hooks, registry).run())
        assert recorded(tmp_path).manifest().broken == hooks.broken
    assert hooks.broken == {"policy 'bad' of acme-parts 1.2": said}


def test_a_bound_that_is_async_is_told_and_left_alone(
    tmp_path: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def bound(self: parts.BadPolicy, request: Any) -> tuple[int, int]:
        return 3, 4

    monkeypatch.setattr(parts.BadPolicy, "bound", bound)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # as of a coroutine that nobody waited for
        hooks = ran(tmp_path, registry)
        gc.collect()
    told = "bound, 3 times: is async, where def bound(...) is meant"
    assert hooks.broken == {"policy 'bad' of acme-parts 1.2": told}


@pytest.mark.parametrize("value", [None, 0.5, RewardValue(value=12.87, reason="too good")])
def test_what_an_arena_s_reward_may_not_return_is_told(value: Any) -> None:
    class Odd:
        needs: frozenset[Need] = frozenset()
        range = (0.0, 1.0)

        def judge(self, step: Any, task: Any) -> Any:
            return value

    hooks, who = Hooks(), "reward 'odd' of acme-parts 1.2"
    with arena(rewards={"odd": Odd()}, owners={"odd": who}, hooks=hooks) as it:
        (taken,) = it.take([state()], [off(1.0)])
    assert taken.rewards["odd"].value is None
    assert taken.rewards["odd"].reason.startswith(f"{who}: judge returned ")
    assert hooks.broken[who].startswith("judge: returned ")


def test_a_handler_s_owner_stands_in_the_step(
    tmp_path: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts.BadPolicy, "act", voting)
    ran(tmp_path, registry, Votes())
    said = {step.observation.message for step in recorded(tmp_path).steps()}
    assert said == {
        "acme 1.2 (votes): its handler of the action 'vote' failed: ValueError: no luck."
    }


def test_handlers_that_are_none_are_named(tmp_path: Path, registry: Registry) -> None:
    hooks = ran(tmp_path, registry, Lists())
    told = {"acme 1.2 (votes)": "mlx_action_handlers returned list, no dict of handlers"}
    assert hooks.broken == told == recorded(tmp_path).manifest().broken


def test_a_hook_that_fails_as_the_run_ends_is_recorded_too(
    tmp_path: Path, registry: Registry
) -> None:
    class Ends:
        @hookimpl
        def mlx_run_ended(self) -> None:
            raise ValueError("no luck")

    hooks = ran(tmp_path, registry, Ends())
    assert hooks.broken == {"acme 1.2 (votes)": "mlx_run_ended: ValueError: no luck"}
    assert recorded(tmp_path).manifest().broken == hooks.broken


def test_a_reward_that_fails_in_an_arena_is_told_with_its_owner() -> None:
    hooks, who = Hooks(), "reward 'bad' of acme-parts 1.2"
    reward: Any = parts.BadReward(parts.FaultConfig(call="judge"))
    with arena(rewards={"bad": reward}, owners={"bad": who}, hooks=hooks) as it:
        (taken,) = it.take([state()], [off(1.0)])
    assert taken.rewards["bad"].reason == f"{who}: judge failed: ValueError: no luck"
    assert hooks.broken == {who: "judge: ValueError: no luck"}


def test_an_account_names_its_policy(registry: Registry) -> None:
    class Odd(parts.BadPolicy):
        account, rates = 3, None

    odd: Any = Odd(parts.FaultConfig())
    who = "policy 'bad' of acme-parts 1.2"
    with pytest.raises(PluginError, match=f"{who} states no account: .*account is int, no text"):
        Accounts(Patience()).of(odd, who)


@pytest.fixture
def grading(tmp_path: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Has a built-in task's grader grade by a plugin's metric; returns verdict and hooks."""
    monkeypatch.setattr(Registry, "installed", classmethod(lambda cls: registry))

    def grade(spec: str) -> tuple[Grade, Hooks]:
        answers = Answers(("0", "1"), {"y": (12345.0, 2.0)}, (False, False))
        contract = SubmissionContract(id_column="id", columns=("y",), rows=2)
        grader, hooks = TableGrader(contract, built.metric(spec), answers), Hooks()
        place = Environment(
            ToyTask().info, grader, MemorySandbox(play), StateStore(tmp_path),
            owner="task 'flights' of mlxlab 0.1.0", hooks=hooks,
        )  # fmt: skip
        with watching():
            return asyncio.run(apart("task", "grade", place._verdict, b"id,y\n0,1\n1,2\n")), hooks

    return grade


@pytest.mark.parametrize(
    ("fault", "cause"), [("base", "Strange"), ("exit", "SystemExit"), ("type", "TypeError")]
)
def test_a_metric_s_failure_is_not_the_task_s(grading: Any, fault: str, cause: str) -> None:
    verdict, hooks = grading(f"bad?call=score&fault={fault}")
    who = "metric 'bad' of acme-parts 1.2"
    assert not verdict.valid
    assert f"({who}: score raised {cause})" in verdict.message
    assert "luck" not in verdict.message and "12345" not in verdict.message
    assert hooks.broken == {who: f"score: {cause}"}
    cause_itself = hooks.errors[who].__cause__
    assert type(cause_itself).__name__ == cause


def test_a_metric_that_hangs_is_named(grading: Any) -> None:
    with pytest.raises(PluginError, match=r"metric 'bad' of acme-parts 1\.2: score took longer"):
        grading("bad?call=score&fault=spin")


def test_a_metric_grades_as_it_says_and_refuses_what_it_cannot_take(grading: Any) -> None:
    verdict, hooks = grading("bad")
    assert verdict.private == pytest.approx((12344**2 / 2) ** 0.5, rel=1e-5)
    refused, _ = grading("bad?call=score&fault=raise")  # a ValueError is about the submission
    assert "luck, as the metric bad needs" in refused.message and hooks.broken == {}


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ("hollow", "metric 'hollow' of acme-parts 1.2 is no metric: it has no info"),
        ("bad?call=info&fault=type", "metric 'bad' of acme-parts 1.2: info is int, no MetricInfo"),
        ("bad?call=info&fault=exit", "metric 'bad' of acme-parts 1.2: its attributes failed: Sys"),
    ],
)
def test_what_is_no_metric(grading: Any, spec: str, told: str) -> None:
    with pytest.raises(PluginError) as caught:
        grading(spec)
    assert told in str(caught.value)


@pytest.mark.parametrize("board", ["private", "public"])
def test_a_score_that_is_nan_is_told_with_its_grader(tmp_path: Path, board: str) -> None:
    class Odd(ToyTask):
        def grade(self, submission: bytes) -> Grade:
            scores = {"private": 12345.0, "public": 12345.0, board: math.nan}
            return Grade(valid=True, message="", **scores)

    hooks, who = Hooks(), "task 'odd' of acme 1.0"
    place = Environment(
        ToyTask().info, Odd(), MemorySandbox(play), StateStore(tmp_path), owner=who, hooks=hooks
    )
    verdict = place._verdict(b"")
    assert not verdict.valid
    assert verdict.message == "The metric has no finite value for this submission."
    assert hooks.broken == {who: f"grade: returned a {board} score that is nan"}
