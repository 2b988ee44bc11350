"""What goes wrong below an arena is an outcome of one action, never the end of a training."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest

from mlxlab.core.actions import EditScript
from mlxlab.core.errors import PolicyError
from mlxlab.core.policy import PolicyRequest
from mlxlab.core.records import Completion
from mlxlab.core.training.cache import TransitionCache
from mlxlab.core.training.states import Taken
from mlxlab.testing import ScriptedPolicy

from .worlds import HERE, Log, arena, off, seen, state


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    Log.clear()
    yield
    assert not Log.open_now
    assert not [t for t in threading.enumerate() if t.name.startswith("mlxlab-arena")]


def test_a_sandbox_that_dies_in_the_middle_is_replaced_and_the_batch_goes_on() -> None:
    with arena("dying", cache=TransitionCache(), workers=2) as it:
        taken = it.take([state(n) for n in range(8)], [off(n) for n in range(8)])
    assert [t.score for t in taken] == list(range(8))
    assert not any(t.failed for t in taken) and Log.opened > 2


def test_sandboxes_that_always_die_fail_their_actions_and_nothing_is_kept() -> None:
    cache = TransitionCache()
    with arena("dead", cache=cache) as it:
        taken = it.take([state(n) for n in range(3)], [off(1.0)] * 3)
        invalid = it.take([state()], [Completion(text="hm")])[0]
        totals = it.totals()
    assert [t.failed for t in taken] == ["the engine died"] * 3
    assert all(t.observation is None and not t.rewards for t in taken)
    assert (len(Log.runs), len(cache), totals.failed) == (2, 0, 3)
    assert seen(invalid.observation).status == "invalid_action"


def test_a_machine_that_cannot_isolate_is_asked_once() -> None:
    with arena("none", workers=1) as it:
        taken = it.take([state(n) for n in range(4)], [off(n) for n in range(4)])
    assert [t.failed for t in taken] == ["no namespaces here"] * 4
    assert Log.opened == 1


@pytest.mark.parametrize(
    ("task", "says"),
    [("moved", "is not what run/0 was recorded"), ("broken", "the source is gone"),
     ("nowhere", "no task 'nowhere'")],
)  # fmt: skip
def test_tasks_that_are_gone_or_others_now_fail_their_own_actions(task: str, says: str) -> None:
    with arena() as it:
        taken, other = it.take([state(task=task), state()], [off(1.0)] * 2)
    assert says in taken.failed and "\n" not in taken.failed
    assert other.score == 1.0


@pytest.mark.parametrize("keep", [False, True])
def test_a_state_that_is_gone_fails_its_own_actions(tmp_path: Path, keep: bool) -> None:
    gone = state(start="0" * 64, store=tmp_path / "states")
    with arena(keep_states=keep) as it:
        taken, other = it.take([gone, state()], [off(1.0)] * 2)
    assert "The state '000000000000' is not in" in taken.failed
    assert other.score == 1.0
    assert not (tmp_path / "states").exists()


def edit() -> Completion:
    return Completion(action=EditScript(path="a.py", instruction="x", save_path="a.py"))


def test_an_editor_is_asked_like_in_a_run_and_its_answer_kept() -> None:
    asked: list[PolicyRequest] = []

    def answer(request: PolicyRequest) -> str:
        asked.append(request)
        return "```python\nprint(1)\n```"

    editing = state(7, allowed=("edit_script",))
    with arena(cache=TransitionCache(), editor=ScriptedPolicy(answer)) as it:
        taken = it.take([editing, editing], [edit()] * 2)
    assert [seen(t.observation).status for t in taken] == ["ok", "ok"]
    (request,) = asked
    assert (request.role, request.index, request.decision) == ("editor", 1, editing.decision)


@pytest.mark.parametrize("error", [PolicyError("no credit"), ValueError("no credit")])
def test_an_editor_that_fails_is_an_action_that_failed_this_time(error: Exception) -> None:
    cache, editing = TransitionCache(), state(allowed=("edit_script",))
    editor = ScriptedPolicy([error, "```python\nprint(1)\n```"])
    with arena(cache=cache, editor=editor, workers=1) as it:
        failed = it.take([editing], [edit()])[0]
        again = it.take([editing], [edit()])[0]
    assert seen(failed.observation).status == "error"
    assert "no credit" in seen(failed.observation).message
    assert (seen(again.observation).status, again.cached) == ("ok", False)


def test_closing_ends_what_is_under_way() -> None:
    it = arena("slow", workers=2)
    waiting = [it.submit(state(n), off(n)) for n in range(5)]
    while len(Log.runs) < 2:
        time.sleep(0.01)
    it.close()
    it.close()
    assert {answer.result(0).failed for answer in waiting} == {
        "The arena was closed before the action was carried out."
    }
    assert it.submit(state(), off(1.0)).result(0).failed


def test_an_arena_closed_at_once_leaves_nobody_waiting() -> None:
    for _ in range(20):
        it = arena(cache=TransitionCache())
        answers: list[Future[Taken]] = []

        def ask(it=it, answers=answers) -> None:
            answers.extend(it.submit(state(n), off(n)) for n in range(5))

        thread = threading.Thread(target=ask)
        thread.start()
        it.close()
        thread.join()
        assert all(answer.result(10) for answer in answers)


def test_actions_can_be_awaited_in_another_loop() -> None:
    async def wait() -> list[Taken]:
        answers = [it.submit(state(n), off(1.0)) for n in range(3)]
        return await asyncio.gather(*map(asyncio.wrap_future, answers))

    with arena(cache=TransitionCache()) as it:
        assert [taken.score for taken in asyncio.run(wait())] == [1.0] * 3


def test_an_interpreter_that_ends_closes_it(tmp_path: Path) -> None:
    program = (
        f"from {HERE} import *; import pathlib, sys\n"
        f"it = arena(folder=pathlib.Path({str(tmp_path)!r}))\n"
        "print(it.take([state()], [off(1.0)])[0].score)\n"
        "it.submit(state(task='other'), off(2.0))\n"
        "sys.exit(3)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60
    )
    assert (done.stdout, done.stderr, done.returncode) == ("1.0\n", "", 3)
    assert [path.name for path in tmp_path.iterdir()] == ["states"]


def test_an_interrupt_while_waiting_ends_what_is_under_way(tmp_path: Path) -> None:
    program = (
        f"from {HERE} import *; import pathlib, threading\n"
        "def tell():\n"
        "    while len(Log.runs) < 2: pass\n"
        "    print('at work', flush=True)\n"
        "threading.Thread(target=tell, daemon=True).start()\n"
        f"with arena('slow', workers=2, folder=pathlib.Path({str(tmp_path)!r})) as it:\n"
        "    it.take([state(n) for n in range(4)], [off(n) for n in range(4)])\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None and process.stdout.readline() == "at work\n"
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert said.rstrip().endswith("KeyboardInterrupt")
    assert "never" not in said  # neither awaited nor retrieved
    assert [path.name for path in tmp_path.iterdir()] == ["states"]


def test_what_a_killed_arena_left_goes_with_the_next_one(tmp_path: Path) -> None:
    for name, held in (("old", False), ("held", True)):
        (tmp_path / f"mlxlab-arena-{name}" / "x").mkdir(parents=True)
        os.utime(tmp_path / f"mlxlab-arena-{name}", (0, 0))
        if held:
            fd = os.open(tmp_path / f"mlxlab-arena-{name}", os.O_RDONLY)
            fcntl.flock(fd, fcntl.LOCK_EX)
    (tmp_path / "mlxlab-arena-young").mkdir()
    arena(folder=tmp_path).close()
    os.close(fd)
    left = {path.name for path in tmp_path.iterdir()}
    assert left >= {"mlxlab-arena-held", "mlxlab-arena-young"} and "mlxlab-arena-old" not in left


def test_two_arenas_may_append_to_one_cache(tmp_path: Path) -> None:
    first, second = TransitionCache(tmp_path), TransitionCache(tmp_path)
    with arena(cache=first) as one, arena(cache=second) as two:
        answers = [
            it.submit(state(n), off(n))
            for n in range(30)
            for it in ((one, two) if n % 2 else (one,))
        ]
        assert all(answer.result().score is not None for answer in answers)
    told: list[str] = []
    found = TransitionCache(tmp_path, told.append)
    assert (len(found), told) == (30, [])
    lines = (tmp_path / "transitions.jsonl").read_text().splitlines()
    assert len(lines) == 45 and all(json.loads(line)["schema"] == 1 for line in lines)
