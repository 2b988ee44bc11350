"""Arenas over the toy task in memory: what happens beside the engines, without any."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from importlib.metadata import EntryPoint
from pathlib import Path
from random import Random
from typing import Any

from pydantic import BaseModel

from mlxlab.core.actions import RunCode
from mlxlab.core.entries import Entry
from mlxlab.core.errors import SandboxError, SandboxUnavailable
from mlxlab.core.records import (
    Completion,
    ComponentRef,
    Decision,
    Limits,
    Observation,
    RewardValue,
)
from mlxlab.core.registry import Registry
from mlxlab.core.reward import Need, Reward, StepView
from mlxlab.core.sandbox import ExecRequest, ExecResult, OnOutput, SandboxSetup
from mlxlab.core.scaffold import Wait
from mlxlab.core.task import TaskInfo
from mlxlab.core.training.arena import Arena
from mlxlab.core.training.states import State
from mlxlab.core.tree import TreeView
from mlxlab.testing import MemorySandbox, ToyTask
from tests.support import ALLOWED, JsonScaffold, play

HERE = "tests.core.training.worlds"
COMPONENTS = {
    "task.toy": "Toy", "task.other": "Toy", "task.broken": "BrokenTask", "task.moved": "Moved",
    "sandbox.memory": "Memory", "sandbox.dying": "Dying", "sandbox.dead": "Dead",
    "sandbox.none": "Unavailable", "sandbox.slow": "Slow", "scaffold.json": "Json",
    "scaffold.odd": "Odd", "scaffold.wrong": "Wrong",
}  # fmt: skip


class Log:
    """What the sandboxes of a test did."""

    runs: list[str] = []
    at_once = 0
    most_at_once = 0
    open_now: set[int] = set()
    most_open = 0
    opened = 0

    @classmethod
    def clear(cls) -> None:
        cls.runs, cls.open_now = [], set()
        cls.at_once = cls.most_at_once = cls.most_open = cls.opened = 0


class Memory(MemorySandbox):
    def __init__(self) -> None:
        super().__init__(play)

    async def open(self, setup: SandboxSetup) -> None:
        await super().open(setup)
        Log.opened += 1
        Log.open_now.add(id(self))
        Log.most_open = max(Log.most_open, len(Log.open_now))

    async def run(
        self, request: ExecRequest, limits: Limits, on_output: OnOutput | None = None
    ) -> ExecResult:
        Log.runs.append(self.files[request.script or ""].decode())
        Log.at_once += 1
        Log.most_at_once = max(Log.most_at_once, Log.at_once)
        try:
            await self.works(limits)
            return await super().run(request, limits)
        finally:
            Log.at_once -= 1

    async def works(self, limits: Limits) -> None:
        await asyncio.sleep(0.01)

    async def close(self) -> None:
        await super().close()
        Log.open_now.discard(id(self))


class Slow(Memory):
    async def works(self, limits: Limits) -> None:
        await asyncio.sleep(3600)


class Dying(Memory):
    """Every sandbox's second execution finds its engine dead."""

    async def works(self, limits: Limits) -> None:
        self.worked = getattr(self, "worked", 0) + 1
        if self.worked == 2:
            raise SandboxError("the engine died")


class Dead(Memory):
    async def works(self, limits: Limits) -> None:
        raise SandboxError("the engine died")


class Unavailable(Memory):
    async def open(self, setup: SandboxSetup) -> None:
        Log.opened += 1
        raise SandboxUnavailable("no namespaces here")


class Toy(ToyTask):
    def __init__(self) -> None:
        super().__init__()


class Moved(Toy):
    @property
    def info(self) -> TaskInfo:
        return super().info.model_copy(update={"data_hash": "1" * 64})


class BrokenTask(Toy):
    @property
    def info(self) -> TaskInfo:
        raise OSError("the source is gone")


class Json(JsonScaffold):
    def __init__(self) -> None:
        super().__init__()


class Odd(Json):
    def parse(self, decision: Decision, completion: Completion) -> Any:
        if completion.text == "raise":
            raise KeyError("odd")
        if completion.text == "hang":
            time.sleep(60)
        return completion.text


class WrongConfig(BaseModel):
    how: str


class Wrong(Json):
    """A scaffold that does something else than it promised, by its option."""

    def __init__(self, config: WrongConfig) -> None:
        super().__init__()
        self._how = config.how

    def propose(self, tree: TreeView, rng: Random) -> Any:
        if self._how == "raises":
            raise KeyError("odd")
        if self._how == "hangs":
            time.sleep(60)
        wrong = {"a text": "step", "a wait": Wait(), "another step": 5}.get(self._how)
        choice = super().propose(tree, rng)
        if isinstance(wrong, int) and isinstance(choice, Decision):
            return choice.model_copy(update={"step": wrong})
        return wrong or choice

    def prompt(self, decision: Decision, tree: TreeView) -> Any:
        return ["no message"] if self._how == "no message" else super().prompt(decision, tree)


class Gain:
    """How much better than the state's own score; NaN for a score of 3."""

    needs: frozenset[Need] = frozenset()
    range = (float("-inf"), float("inf"))

    def judge(self, step: StepView, task: TaskInfo) -> RewardValue:
        seen = step.observation.public_score
        if step.observation.status == "invalid_action" or seen is None:
            return RewardValue(value=0.0, reason="nothing")
        value = float("nan") if seen == 3 else (step.decision.score or 0.0) - seen
        return RewardValue(value=value, reason="gain")


REWARDS: Mapping[str, Reward] = {"gain": Gain()}


def registry() -> Registry:
    def entry(name: str, target: str) -> Entry:
        point = EntryPoint(name, f"{HERE}:{target}", "mlxlab.components")
        kind, _, plain = name.partition(".")
        return Entry(kind, plain, f"{HERE}:{target}", "tests", "0", point)

    return Registry([entry(name, target) for name, target in COMPONENTS.items()])


def arena(sandbox: str = "memory", **options: Any) -> Arena:
    return Arena(options.pop("rewards", REWARDS), sandbox=sandbox, registry=registry(), **options)


def state(
    number: int = 0,
    score: float | None = None,
    *,
    task: str = "toy",
    scaffold: str = "json",
    own: bool = True,
    store: Path | None = None,
    **decision: Any,
) -> State:
    info = Toy().info
    given = {
        "step": number, "operator": "grow", "allowed": ALLOWED, "task": info.id,
        "scaffold": ComponentRef(kind="scaffold", name=scaffold, spec=scaffold),
        "data_hash": info.data_hash, "sandbox": "local", "feedback": "public", "seed": number,
        "score": score,
    }  # fmt: skip
    return State(
        id=f"run/{number}",
        task=task,
        info=info,
        decision=Decision(**{**given, **decision}),
        own=own,
        store=store,
    )


def off(by: float) -> Completion:
    """A program whose predictions are all wrong by so much: its score."""
    program = json.dumps([row + by for row in range(8)])
    return Completion(text=RunCode(code=program).model_dump_json())


def said(**action: Any) -> Completion:
    return Completion(text=json.dumps(action))


def seen(observation: Observation | None) -> Observation:
    assert observation is not None
    return observation
