"""Records that were made past their types are named where they come in, and recorded nowhere."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from mlxlab.core.answers import recordable
from mlxlab.core.choices import choice_of, messages_of
from mlxlab.core.errors import PluginError
from mlxlab.core.guarded import GuardedSandbox
from mlxlab.core.planning import Ground
from mlxlab.core.records import Completion, ComponentRef, Decision, Limits, Message
from mlxlab.core.registry import Component
from mlxlab.core.sandbox import ExecRequest, ExecResult, Packages, Snapshot
from mlxlab.core.states import StateStore
from mlxlab.core.task import TaskInfo
from mlxlab.core.tasked import stated_info
from mlxlab.testing import MemorySandbox, ToyTask
from tests.policies.helpers import decision
from tests.support import play

WHO = "part 'bad' of acme-parts 1.2"


def past(kind: Any, **fields: Any) -> Any:
    """A record of fields that nobody has looked at."""
    return kind.model_construct(**fields)


@pytest.mark.parametrize(
    "fields",
    [{"usage": 3}, {"token_ids": 5}, {"reasoning": 7}, {"finish_reason": object()}, {"notes": 3}],
)
def test_an_answer(fields: dict[str, Any]) -> None:
    whole = Completion(text="x")
    assert recordable(WHO, whole) == whole
    with pytest.raises(PluginError, match=f"{WHO}: act failed"):
        recordable(WHO, whole.model_copy(update=fields))


def test_a_choice() -> None:
    with pytest.raises(PluginError, match=f"{WHO}: propose failed: .*Decision"):
        choice_of(WHO, past(Decision, step=0), 0)


@pytest.mark.parametrize("parent", [-1, 2, 999])
def test_a_step_that_is_none_is_no_parent(parent: int) -> None:
    assert choice_of(WHO, decision(step=2, parent=1), 2)
    with pytest.raises(PluginError, match=f"go on from step {parent}, which is none"):
        choice_of(WHO, decision(step=2, parent=parent), 2)


def test_a_message() -> None:
    with pytest.raises(PluginError, match=f"{WHO}: prompt failed: .*Message"):
        messages_of(WHO, [past(Message, content="x")])


def test_a_task_s_info() -> None:
    class Bad(ToyTask):
        @property
        def info(self) -> Any:
            return past(TaskInfo, id="bad")

    with pytest.raises(PluginError, match=f"{WHO}: info failed: .*TaskInfo"):
        stated_info(WHO, Bad())


@pytest.mark.parametrize(
    ("hidden", "told"),
    [
        ("iris_noise", "hidden is str, no tuple of texts."),
        (None, "hidden is NoneType, no tuple of texts."),
        (("iris_noise", 3), "hidden holds 3, no text."),
    ],
)
def test_what_a_task_hides(hidden: Any, told: str) -> None:
    task = ToyTask()
    task.hidden = hidden
    with pytest.raises(PluginError) as failure:
        Ground.of(task, owner=WHO)
    assert failure.value.message == f"{WHO}: {told}"


class Odd(MemorySandbox):
    async def run(self, *arguments: Any) -> Any:
        return past(ExecResult, stdout=None, stderr=b"", duration_s="long")

    async def snapshot(self, *arguments: Any) -> Any:
        return past(Snapshot, state=5)

    async def packages(self) -> Any:
        return past(Packages, python=3)


@pytest.mark.parametrize("call", ["run", "snapshot", "packages"])
def test_what_a_sandbox_returns(tmp_path: Path, call: str) -> None:
    ref = ComponentRef(kind="sandbox", name="bad", spec="bad", version="acme-parts 1.2")
    guarded = GuardedSandbox(Component(Odd(play), ref))
    request = ExecRequest(script="x.py")
    arguments: dict[str, tuple[Any, ...]] = {
        "run": (request, Limits(wall_s=9)),
        "snapshot": (StateStore(tmp_path / "states"), ""),
        "packages": (),
    }
    with pytest.raises(PluginError, match=f"sandbox 'bad' of acme-parts 1.2: {call} failed"):
        asyncio.run(getattr(guarded, call)(*arguments[call]))
