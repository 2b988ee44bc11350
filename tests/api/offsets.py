"""A scaffold whose five actions have scores that can be told in the head, on toy tasks."""

from __future__ import annotations

import asyncio
import json
from importlib.metadata import EntryPoint
from random import Random
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

from mlxlab.core.actions import Action, RunCode
from mlxlab.core.entries import Entry
from mlxlab.core.errors import PolicyError
from mlxlab.core.policy import PolicyRequest
from mlxlab.core.records import Completion, Decision, Message
from mlxlab.core.registry import Registry
from mlxlab.core.scaffold import TRIED, Ask, Stop, Wait
from mlxlab.core.task import TaskInfo
from mlxlab.core.training.states import State
from mlxlab.core.tree import TreeView
from mlxlab.testing import MemorySandbox, ToyTask
from tests.support import play, ref

HERE = "tests.api.offsets"
OFFSETS = (4.0, 2.0, 1.0, 0.5, 2.5)
"""Predictions that are wrong by so much have this score; less is better, the start has 3."""
COMPONENTS = {
    "task.toy": f"{HERE}:Toy", "task.other": f"{HERE}:Other", "sandbox.memory": f"{HERE}:memory",
    "scaffold.offsets": f"{HERE}:Offsets", "policy.always": f"{HERE}:Always",
    "policy.broken": f"{HERE}:Broken",
    "reward.ml-agent": "mlxlab.rewards.ml_agent:MLAgentReward",
}  # fmt: skip


class Toy(ToyTask):
    def __init__(self) -> None:
        super().__init__()  # a component without options takes no parameter


class Other(Toy):
    @property
    def info(self) -> TaskInfo:
        told = {"id": "other", "description": "Predict another thing.", "data_hash": "1" * 64}
        return super().info.model_copy(update=told)


def memory() -> MemorySandbox:
    return MemorySandbox(play)


class Offsets:
    """Lists the offsets; the first is the plain one."""

    needs_score: ClassVar[bool] = False
    max_asks = 0

    def propose(self, tree: TreeView, rng: Random) -> Decision | Wait | Stop:
        tried = [[node.text, node.score] for node in tree.nodes]
        return tree.decide("grow", tree.best(), extra={TRIED: tried})

    def prompt(self, decision: Decision, tree: TreeView) -> list[Message]:
        text = f"{tree.task.description} {len(tree.nodes)}"
        return [Message(role="user", content=text)]

    def parse(self, decision: Decision, completion: Completion) -> Action | Ask:
        try:
            return program(float(completion.text))
        except ValueError:
            return Ask(messages=(), reason="no number")

    def render(self, decision: Decision, action: Action) -> str:
        assert isinstance(action, RunCode)
        return f"{json.loads(action.code)[0]}"

    def actions(self, decision: Decision) -> list[Action]:
        return [program(by) for by in OFFSETS]

    def near(self, decision: Decision, action: Action) -> list[Action]:
        return []

    def plain(self, decision: Decision) -> list[Action]:
        return [program(OFFSETS[0])]


def program(by: float) -> RunCode:
    return RunCode(code=json.dumps([row + by for row in range(8)]))


class AlwaysConfig(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    argument: ClassVar[str] = "text"
    text: str


class Always:
    """Says the same always, or what its prompt's task asks for."""

    asked = 0

    def __init__(self, config: AlwaysConfig) -> None:
        self.config = config

    async def act(self, request: PolicyRequest) -> Completion:
        type(self).asked += 1
        if self.config.text == "read":
            another = "another" in request.messages[0].content
            return Completion(text="2.0" if another else "0.5")
        return Completion(text=self.config.text)

    async def close(self) -> None:
        pass


class Broken:
    """Breaks where its argument says: as a policy may, as it must not, or in its closing."""

    asked = 0

    def __init__(self, config: AlwaysConfig) -> None:
        self.config = config

    async def act(self, request: PolicyRequest) -> Completion:
        type(self).asked += 1
        await asyncio.sleep(0)
        if self.config.text == "as it may":
            raise PolicyError("The server is gone.")
        if self.config.text == "as it must not":
            raise KeyError("lost")
        return Completion(text="1.0")

    async def close(self) -> None:
        if self.config.text == "in closing":
            raise OSError("no pipe")


def registry() -> Registry:
    def entry(name: str, target: str) -> Entry:
        point = EntryPoint(name, target, "mlxlab.components")
        kind, _, plain = name.partition(".")
        return Entry(kind, plain, target, "tests", "0", point)

    return Registry([entry(name, target) for name, target in COMPONENTS.items()])


def state(number: int, score: float | None, task: str = "toy", **more: Any) -> State:
    """A state whose solution has a score, or none yet."""
    info = {"toy": Toy, "other": Other}[task]().info
    decision = Decision(
        step=number, operator="grow", score=score, task=info.id, data_hash=info.data_hash,
        scaffold=ref("scaffold", "offsets"), sandbox="memory", feedback="public", seed=number,
    )  # fmt: skip
    said = (Message(role="user", content=info.description),)
    given = {"id": f"{task}/{number}", "task": task, "info": info, "said": said}
    return State(**{**given, "decision": decision, **more})
