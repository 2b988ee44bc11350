"""An arena over real sandboxes and recorded runs: the same comes of an action as in its run."""

from __future__ import annotations

import os
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

import mlxlab
from mlxlab.core.actions import RunCode
from mlxlab.core.records import Completion
from mlxlab.core.registry import Registry
from mlxlab.core.reward import Reward
from mlxlab.core.runs import RunFolder
from mlxlab.core.training.arena import Arena
from mlxlab.core.training.cache import TransitionCache
from mlxlab.core.training.examples import Example, gather
from mlxlab.core.training.states import State, Taken
from tests.tasks.folders import house
from tests.tasks.folders import state as task_file

PROGRAM = """\
import csv, os, sys, time
rows = list(csv.reader(open("input/sample_submission.csv")))
with open("submission.csv", "w", newline="") as out:
    csv.writer(out).writerows([rows[0], *([row[0], {price}] for row in rows[1:])])
{more}
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("root")


@pytest.fixture(scope="module")
def linear(root: Path) -> list[Example]:
    """A run of edits and executions, each from the workspace that the one before left."""
    task = house(root)
    task_file(task, m_init=60000.0, m_best=1000.0)
    run = mlxlab.run(
        task=str(task), scaffold="linear", policy="catalog", steps=4, out=root / "runs"
    )
    assert run.status == "done"
    corpus = gather([next((root / "runs").iterdir())])
    assert len(corpus.examples) == 4
    return list(corpus.examples)


def rewards() -> dict[str, Reward]:
    return {"ml-agent": Registry.installed().create("reward", "ml-agent").instance}


def catalog() -> object:
    return Registry.installed().create("policy", "catalog").instance


@pytest.fixture(scope="module")
def arena(root: Path) -> Iterator[Arena]:
    with Arena(
        rewards(), workers=2, cache=TransitionCache(), editor=catalog(), exec_timeout_s=30
    ) as it:
        yield it
    assert not [t for t in threading.enumerate() if t.name.startswith("mlxlab-arena")]


def answers(examples: list[Example]) -> list[Completion]:
    return [Completion(text=example.text) for example in examples]


def test_recorded_actions_come_to_what_was_recorded(arena: Arena, linear: list[Example]) -> None:
    before = set(linear[0].state.folder.rglob("*"))
    taken = arena.take([example.state for example in linear], answers(linear))
    assert [t.failed for t in taken] == [""] * 4
    assert [t.action for t in taken] == [example.action for example in linear]
    assert {example.state.decision.start for example in linear} > {"clean"}
    for example, found in zip(linear, taken, strict=True):
        assert found.observation is not None
        assert (found.observation.status, found.score) == (example.status, example.score)
        assert found.rewards["ml-agent"].value == example.rewards["ml-agent"]
    edits = [t for t in taken if t.action is not None and t.action.type == "edit_script"]
    assert len(edits) == 2
    assert all(edit.probe is not None and edit.probe.status == "ok" for edit in edits)
    assert [t.observation.stdout for t in taken] == [  # type: ignore[union-attr]
        step.observation.stdout for step in mlxlab.load(linear[0].state.folder).steps
    ]
    assert set(linear[0].state.folder.rglob("*")) == before


def test_private_scores_are_those_of_the_run(arena: Arena, linear: list[Example]) -> None:
    example = linear[1]
    taken = arena.take([example.state], [Completion(text=example.text)])[0]
    assert example.state.folder is not None
    recorded = RunFolder(example.state.folder).private_scores()[1].score
    assert taken.cached and arena.private_score(taken) == recorded is not None


def test_next_states_of_recorded_ones_are_kept_elsewhere(root: Path, linear: list[Example]) -> None:
    with Arena(rewards(), keep_states=True, editor=catalog(), folder=root / "kept") as it:
        last = linear[3].state
        run = it.take([last], answers(linear[3:]))[0]
        assert run.failed == "" and run.next_state is not None
        after = State(
            **{**vars(last), "store": it.store(last),
               "decision": last.decision.model_copy(update={"start": run.next_state})}
        )  # fmt: skip
        listed = it.take(
            [after], [Completion(text='Action: List Files\nAction Input: {"dir_path": "."}')]
        )
    assert listed[0].observation is not None
    assert {"solution.py", "submission.csv"} <= {
        line.partition("\t")[0] for line in listed[0].observation.stdout.splitlines()
    }
    assert listed[0].next_state == run.next_state


def test_pruned_states_fail_their_own_actions_alone(
    arena: Arena, root: Path, linear: list[Example]
) -> None:
    copy = root / "pruned" / linear[0].state.folder.name
    shutil.copytree(linear[0].state.folder, copy)
    state = State(**{**vars(linear[2].state), "folder": copy, "store": copy / "states"})
    (copy / "states" / f"{state.decision.start}.json").unlink()
    gone, fine = arena.take(
        [state, linear[0].state],
        [Completion(text='Action: Final Answer\nAction Input: {"final_answer": "x"}')] * 2,
    )
    assert "is not in" in gone.failed and gone.observation is None
    assert fine.failed == ""


def clean(linear: list[Example], score: float | None = None) -> State:
    """A clean state of the task where programs are answered."""
    state = linear[0].state
    decision = state.decision.model_copy(update={"allowed": ("run_code",), "score": score})
    return State(**{**vars(state), "decision": decision})


def program(price: float, more: str = "") -> Completion:
    return Completion(action=RunCode(code=PROGRAM.format(price=price, more=more)))


def at_work(arena: Arena) -> set[Any]:
    """The sandboxes in which something runs: what a test must reach into to break them."""
    opened = [(one, one.sandbox._sandbox._inner) for one in arena._crew._sandboxes._open]
    return {one for one, inner in opened if inner is not None and inner._running}


def engine(ground: Any) -> Any:
    return ground.sandbox._sandbox._inner._place.engine


def up(ground: Any) -> bool:
    return engine(ground)._life is not None


def test_killed_sandboxes_are_replaced_in_the_middle_of_a_batch(
    arena: Arena, linear: list[Example]
) -> None:
    sleepy = [program(1000.0 * n, "time.sleep(1)") for n in range(4)]
    waiting: list[Future[Taken]] = [arena.submit(clean(linear), one) for one in sleepy]
    until = time.monotonic() + 60
    while len(broken := at_work(arena)) < 2 or not all(map(up, broken)):
        assert time.monotonic() < until
        time.sleep(0.05)
    time.sleep(0.3)
    for pid in [engine(one).pid for one in broken]:
        os.kill(pid, signal.SIGKILL)
    taken = [answer.result(60) for answer in waiting]
    assert [t.failed for t in taken] == [""] * 4
    assert {t.observation.status for t in taken if t.observation} == {"ok"}
    assert not broken & arena._crew._sandboxes._open


def test_what_programs_do_is_an_outcome(arena: Arena, linear: list[Example]) -> None:
    more = ["", "sys.exit(3)", "os.remove('submission.csv')", "os.kill(os.getpid(), 9)"]
    taken = arena.take([clean(linear, 50000.0)] * 4, [program(9.0, one) for one in more])
    found = [t.observation.status for t in taken if t.observation]
    assert found == ["ok", "error", "no_submission", "killed"]
    again = arena.take([clean(linear)] * 4, [program(9.0, one) for one in more])
    assert [t.cached for t in again] == [True, True, True, False]


def test_an_arenas_own_time_limit_holds_for_every_state(root: Path, linear: list[Example]) -> None:
    with Arena(rewards(), exec_timeout_s=0.5, folder=root / "quick") as it:
        taken = it.take([clean(linear)], [program(1.0, "time.sleep(20)")])[0]
        assert "numpy" in it.packages(linear[0].state).versions
    assert taken.observation is not None and taken.observation.status == "timeout"
    assert taken.rewards["ml-agent"].value == 0.5
    assert [path.name for path in (root / "quick").iterdir()] == ["states"]
