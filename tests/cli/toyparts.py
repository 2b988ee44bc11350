"""A third-party distribution's module: a whole run in memory, so that `mlx run` takes a second."""

from __future__ import annotations

import asyncio
import json
from random import Random
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field

from mlxlab.core.actions import Action, RunCode
from mlxlab.core.errors import PolicyError
from mlxlab.core.policy import PolicyRequest
from mlxlab.core.records import Completion, Decision, Message, RewardValue, Usage
from mlxlab.core.reward import Need, StepView
from mlxlab.core.scaffold import Ask, Stop, Wait
from mlxlab.core.task import TaskInfo
from mlxlab.core.tree import TreeView
from mlxlab.testing import ConstantReward, MemorySandbox, ToyTask
from tests.support import JsonScaffold, play

HOSTILE = "\x1b[2J\x1b]0;owned\x07[bold red]markup[/]\u202e\x9b31m\nsecond line"


class Tree(JsonScaffold):
    """Drafts three times, then debugs what failed and improves what is best."""

    needs_score: ClassVar[bool] = True

    def __init__(self) -> None:
        super().__init__()

    def propose(self, tree: TreeView, rng: Random) -> Decision | Wait | Stop:
        roots = [n for n in [*tree.nodes, *tree.in_flight] if n.parent is None]
        if len(roots) < 3:
            return tree.decide("draft")
        parents = {node.parent for node in tree.nodes} | {d.parent for d in tree.in_flight}
        failed = [n for n in tree.nodes if n.status != "ok" and n.id not in parents]
        if failed and rng.random() < 0.5:
            return tree.decide("debug", rng.choice(failed))
        return tree.decide("improve", tree.best()) if tree.best() else tree.decide("draft")


class WriterConfig(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    argument: ClassVar[str] = "plan"
    plan: str = Field("shift the guess a little", description="The plan it always has.")
    latency_s: float = Field(0.0, description="How long an answer takes, in seconds.")
    fails_at: int | None = Field(None, description="The step at which the provider is down.")
    down: int = Field(0, description="How many calls find the provider down, step 1's the first.")
    crash: bool = Field(False, description="Raise what no policy may raise.")
    hostile: bool = Field(False, description="Plans full of terminal escapes.")
    price: float | None = Field(0.001, description="US dollars an answer costs.")


class Writer:
    """Guesses better from step to step, and fails now and then."""

    def __init__(self, config: WriterConfig) -> None:
        self._config = config
        self._down = config.down

    async def act(self, request: PolicyRequest) -> Completion:
        config, step = self._config, request.decision.step
        await asyncio.sleep(config.latency_s)
        if step >= 1 and self._down > 0:
            self._down -= 1
            raise PolicyError("The provider is asleep.", retryable=True, retry_after_s=0.5)
        if step == config.fails_at:
            if config.crash:
                raise ValueError("crashed")
            raise PolicyError("The provider is down.", "Try later.")
        rng = Random(request.seed)
        error = 3 / (1 + step) + rng.random()
        code = "crash" if rng.random() < 0.3 else json.dumps([row + error for row in range(8)])
        plan = HOSTILE if config.hostile else config.plan
        return Completion(
            text=RunCode(code=code, plan=plan).model_dump_json(),
            reasoning="thinking " + plan,
            model="toy",
            usage=Usage(prompt_tokens=100, completion_tokens=10),
            cost_usd=None if config.price == 0 else config.price,
        )

    async def close(self) -> None: ...


def memory() -> MemorySandbox:
    return MemorySandbox(play)


def constant() -> ConstantReward:
    return ConstantReward(0.5)


class HasteConfig(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    argument: ClassVar[str] = "half_s"
    half_s: float = Field(30.0, description="Seconds that halve the reward.")


class Haste:
    """A reward whose argument is a number; of a first step it has nothing to say."""

    needs: frozenset[Need] = frozenset()
    range = (0.0, 1.0)

    def __init__(self, config: HasteConfig) -> None:
        self._half_s = config.half_s

    def judge(self, step: StepView, task: TaskInfo) -> RewardValue:
        if step.decision.step == 0:
            return RewardValue(value=None, reason="nothing came before")
        value = 1 / (1 + step.observation.duration_s / self._half_s)
        return RewardValue(value=value, reason="quick")


class Blocking(Tree):
    """Never gives the loop back."""

    def prompt(self, decision: Decision, tree: TreeView) -> list[Message]:
        import time

        time.sleep(60)
        return []

    def parse(self, decision: Decision, completion: Completion) -> Action | Ask:
        return super().parse(decision, completion)


class Chain(JsonScaffold):
    """Goes on in the workspace that the latest step left."""


Toy = ToyTask
