import asyncio
import math
import shutil
from pathlib import Path
from typing import Any

import pytest

from mlxlab.core.environment import Environment, Transition
from mlxlab.core.judging import judge
from mlxlab.core.records import Decision, Observation, RewardValue
from mlxlab.core.reward import StepView
from mlxlab.core.states import StateStore
from mlxlab.testing import ConstantReward, MemorySandbox, ToyTask
from tests.support import ACTIONS, ALLOWED, play, ref

PERFECT = "[0, 1, 2, 3, 4, 5, 6, 7]"


@pytest.fixture
def states(tmp_path: Path) -> StateStore:
    return StateStore(tmp_path)


def decision(**changes: Any) -> Decision:
    given = {
        "step": 0, "operator": "grow", "allowed": ALLOWED, "scaffold": ref("scaffold"),
        "task": "toy", "data_hash": "0", "sandbox": "memory", "feedback": "public", "seed": 0,
    }  # fmt: skip
    return Decision(**{**given, **changes})


def take(states: StateStore, action: dict[str, Any] | None, **given: Any) -> Transition:
    task = ToyTask()
    rewards = given.pop("rewards", {})
    handlers = given.pop("handlers", {})
    environment = Environment(task.info, task, MemorySandbox(play), states, rewards, handlers)
    parsed = ACTIONS.validate_python(action) if action else None
    transition, _ = asyncio.run(environment.transition(decision(**given), parsed))
    return transition


def test_actions_chain_over_states(states: StateStore) -> None:
    edit = take(states, {"type": "edit_file", "path": "a/solution.py", "content": PERFECT})
    assert edit.observation.status == "ok"
    listed = take(states, {"type": "list_files"}, start=edit.next_state)
    assert listed.observation.stdout.startswith("a/solution.py")
    assert listed.next_state == edit.next_state
    shown = take(states, {"type": "read_file", "path": "a/solution.py"}, start=edit.next_state)
    assert shown.observation.stdout == PERFECT
    ran = take(states, {"type": "run_script", "path": "a/solution.py"}, start=edit.next_state)
    assert (ran.observation.status, ran.observation.public_score) == ("ok", 0.0)
    checked = take(states, {"type": "validate"}, start=ran.next_state)
    assert (checked.observation.status, checked.observation.public_score) == ("ok", None)
    assert take(states, {"type": "validate"}).observation.status == "no_submission"


def test_what_lies_elsewhere_is_not_there(states: StateStore) -> None:
    assert take(states, {"type": "list_files"}).observation.stdout == ""


def test_an_old_submission_is_not_graded_again(states: StateStore) -> None:
    first = take(states, {"type": "run_code", "code": PERFECT})
    again = take(states, {"type": "run_code", "code": "nothing"}, start=first.next_state)
    assert again.observation.status == "no_submission"


@pytest.mark.parametrize(
    "action",
    [
        {"type": "run_script", "path": "none.py"},
        {"type": "read_file", "path": "none.py"},
        {"type": "edit_file", "path": "../x", "content": ""},
    ],
)
def test_a_file_that_cannot_be_is_an_error_the_agent_can_act_on(
    states: StateStore, action: dict[str, Any]
) -> None:
    seen = take(states, action).observation
    assert seen.status == "error"
    assert action["path"] in seen.message


def test_what_is_not_allowed_is_a_step(states: StateStore) -> None:
    seen = take(states, {"type": "validate"}, allowed=("run_code",)).observation
    assert seen.status == "invalid_action"
    assert "validate is not allowed here. Allowed: run_code" in seen.message
    assert take(states, None).observation.status == "invalid_action"


def test_information_is_the_tasks_own(states: StateStore) -> None:
    for topic in ("description", "metric", "submission", "files"):
        seen = take(states, {"type": "request_info", "topic": topic}).observation
        assert seen.status == "ok"
        assert seen.stdout


def test_a_registered_handler_carries_out_its_action(states: StateStore) -> None:
    async def shout(action: Any, sandbox: Any) -> Observation:
        return Observation(status="ok", stdout=action.arguments["word"].upper())

    action = {"type": "custom", "name": "shout", "arguments": {"word": "hi"}}
    assert take(states, action, handlers={"shout": shout}).observation.stdout == "HI"
    seen = take(states, action).observation
    assert seen.status == "invalid_action"
    assert "shout" in seen.message


class NeedsProbe(ConstantReward):
    def __init__(self) -> None:
        super().__init__(needs=frozenset({"probe"}))


def test_a_probe_runs_the_entrypoint_of_an_edit_and_leaves_no_trace(states: StateStore) -> None:
    edit = {"type": "edit_file", "path": "solution.py", "content": PERFECT}
    probed = take(states, edit, rewards={"r": NeedsProbe()})
    assert probed.probe is not None
    assert (probed.probe.status, probed.probe.score) == ("ok", 0.0)
    assert set(states.manifest(probed.next_state or "")) == {"solution.py"}
    assert take(states, edit, rewards={"r": ConstantReward()}).probe is None
    run = {"type": "run_code", "code": PERFECT}
    assert take(states, run, rewards={"r": NeedsProbe()}).probe is None


@pytest.mark.parametrize(
    ("value", "word"),
    [
        (math.nan, "outside"),
        (math.inf, "outside"),
        (7.0, "outside"),
        ("text", "no RewardValue"),
        (1e308, "outside"),
    ],
)
def test_a_reward_that_breaks_its_promise_gives_no_value(value: Any, word: str) -> None:
    class Odd(ConstantReward):
        def judge(self, step: Any, task: Any) -> Any:
            return RewardValue(value=value, reason="") if isinstance(value, float) else value

    view = StepView(decision=decision(), action=None, observation=Observation(status="ok"))
    judged = judge("reward 'odd'", Odd(), view, ToyTask().info)
    assert judged.value is None
    assert word in judged.reason


def test_a_reward_that_raises_is_named() -> None:
    class Broken(ConstantReward):
        def judge(self, step: Any, task: Any) -> RewardValue:
            raise ZeroDivisionError("by zero")

    view = StepView(decision=decision(), action=None, observation=Observation(status="ok"))
    assert judge("reward 'b'", Broken(), view, ToyTask().info).reason == (
        "reward 'b': judge failed: ZeroDivisionError: by zero"
    )


def test_a_grader_that_fails_says_nothing_of_the_answers(states: StateStore) -> None:
    class Leaky(ToyTask):
        def grade(self, submission: bytes) -> Any:
            raise ValueError("the truth is 42")

    environment = Environment(ToyTask().info, Leaky(), MemorySandbox(play), states)
    action = ACTIONS.validate_python({"type": "run_code", "code": PERFECT})
    transition, grade = asyncio.run(environment.transition(decision(), action))
    assert (transition.observation.status, grade) == ("invalid_submission", None)
    assert "42" not in transition.observation.model_dump_json()
    assert "ValueError" in transition.observation.message


def test_a_handler_that_fails_is_a_step(states: StateStore) -> None:
    async def broken(action: Any, sandbox: Any) -> Observation:
        raise RuntimeError("bug")

    action = {"type": "custom", "name": "shout"}
    seen = take(states, action, handlers={"shout": broken}).observation
    assert (seen.status, "RuntimeError: bug" in seen.message) == ("error", True)


def test_a_state_that_cannot_be_written_costs_the_state_alone(tmp_path: Path) -> None:
    states = StateStore(tmp_path)
    shutil.rmtree(tmp_path / "blobs")  # as a disk that is full, or gone
    done = take(states, {"type": "run_code", "code": PERFECT})
    assert done.observation.status == "ok" and done.observation.public_score is not None
    assert done.next_state is None
    assert done.state_dropped == "The state could not be written: No such file or directory."
