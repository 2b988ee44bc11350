"""A distribution whose components do what no component may, one fault at one call."""

from __future__ import annotations

import errno
import json
import math
import os
import threading
from pathlib import Path
from random import Random
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from mlxlab.core.actions import RunCode
from mlxlab.core.policy import Features, Form, PolicyRequest
from mlxlab.core.records import Completion, RewardValue, Usage
from mlxlab.core.suite import SuiteInfo, SuiteTask
from mlxlab.core.task import MetricInfo
from mlxlab.core.trainer import PolicyRef
from mlxlab.testing import ConstantReward, MemorySandbox, ToyTask
from tests.support import JsonScaffold, code, play

Fault = Literal[
    "raise", "base", "exit", "interrupt", "type", "nan", "huge", "hang", "spin", "patch"
]
ARMED = [True]
"""Whether components misbehave; a repaired plugin is one that does not."""
LONG = "x" * 20_000_000


class Strange(BaseException):
    """What no `except Exception` catches."""


class FaultConfig(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    call: str = Field("", description="The call that goes wrong.")
    fault: Fault = Field("raise", description="How.")
    after: int = Field(0, description="How many such calls go well before.")


LET_GO = threading.Event()
"""Ends what hangs in a thread, where nothing breaks it off, before the next test."""


class Faulty:
    """One call of a component that goes wrong."""

    def __init__(self, config: FaultConfig) -> None:
        self.config = config
        self.calls = 0
        super().__init__()

    def due(self, call: str) -> bool:
        """Whether this call goes wrong; it fails or hangs here, or returns True for odd values."""
        if not ARMED[0] or call != self.config.call:
            return False
        self.calls += 1
        if self.calls <= self.config.after:
            return False
        if self.config.fault == "hang":
            LET_GO.wait(60)
        while self.config.fault == "spin":
            pass
        if self.config.fault == "patch":
            json.dumps = lambda obj, **options: str(obj)
            json.JSONEncoder.encode = lambda self, obj: str(obj)  # type: ignore[assignment, method-assign]
            return False
        raised = {
            "raise": ValueError("no\nluck"),
            "base": Strange("no luck"),
            "exit": SystemExit("no luck"),
            "interrupt": KeyboardInterrupt("no luck"),
        }.get(self.config.fault)
        if raised is not None:
            raise raised
        return True

    @property
    def number(self) -> float:
        return {"nan": math.nan, "huge": 1e308}[self.config.fault]


class BadScaffold(Faulty, JsonScaffold):
    """Each of its calls can go wrong."""

    def propose(self, tree: Any, rng: Random) -> Any:
        odd = self.due("propose")
        choice = super().propose(tree, rng)
        if not odd:
            return choice
        if self.config.fault == "type":
            return 3
        limits = choice.limits.model_copy(update={"wall_s": self.number})
        return choice.model_copy(update={"limits": limits})

    def prompt(self, decision: Any, tree: Any) -> Any:
        if not self.due("prompt"):
            return super().prompt(decision, tree)
        if self.config.fault == "type":
            return "a prompt"
        (message,) = super().prompt(decision, tree)
        return [message.model_copy(update={"content": LONG})]

    def parse(self, decision: Any, completion: Any) -> Any:
        return 3 if self.due("parse") else super().parse(decision, completion)

    def render(self, decision: Any, action: Any) -> Any:
        return 3 if self.due("render") else super().render(decision, action)

    def form(self, decision: Any) -> Any:
        form = Form(name="f", description="", fields={"text": ""})
        return 3 if self.due("form") else form

    def written(self, decision: Any, fields: Any) -> Any:
        return LONG if self.due("written") else fields["text"]


class BadPolicy(Faulty):
    """Answers in text, with an action, or in the fields of a form."""

    async def act(self, request: PolicyRequest) -> Any:
        odd = self.due("act")
        guess = [float(request.decision.step)] * 8
        if self.config.call == "an action":
            return Completion(action=RunCode(code=str(guess)))
        if request.form is not None and self.config.call == "fields":
            return Completion(fields={"text": code(guess)})
        good = Completion(text=code(guess), cost_usd=0.01)
        if not odd:
            return good
        if self.config.fault == "type":
            return "an answer"
        usage = Usage(prompt_tokens=-5, completion_tokens=10**30)
        text = good.text + " " * 5_000_000
        odd_values = {"cost_usd": self.number, "latency_s": self.number, "usage": usage}
        odd_values |= {"text": text, "logprobs": (math.nan,)}
        return good.model_copy(update=odd_values)

    async def price(self) -> Any:
        return 3 if self.due("price") else None

    async def dearest(self) -> Any:
        return 3 if self.due("dearest") else None

    async def features(self) -> Any:
        return 3 if self.due("features") else Features()

    def bound(self, request: PolicyRequest) -> Any:
        return 3 if self.due("bound") else (None, None)

    async def close(self) -> None:
        self.due("close")


class BadSandbox(Faulty, MemorySandbox):
    """Each of its calls can go wrong."""

    def __init__(self, config: FaultConfig) -> None:
        self.config = config
        self.calls = 0
        MemorySandbox.__init__(self, play)

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        config = object.__getattribute__(self, "__dict__").get("config")
        if config is None or name != config.call or not callable(found):
            return found

        async def odd(*arguments: Any) -> Any:
            if not self.due(name):
                return await found(*arguments)
            result = await found(*arguments)
            if config.fault == "type":
                return 3
            return result.model_copy(update={"duration_s": self.number, "stdout": LONG})

        return odd


class BadReward(Faulty, ConstantReward):
    """Judges without bounds."""

    def __init__(self, config: FaultConfig) -> None:
        super().__init__(config)
        self.range = (-math.inf, math.inf)

    def judge(self, step: Any, task: Any) -> Any:
        if not self.due("judge"):
            return RewardValue(value=1.0, reason="well done")
        return 3 if self.config.fault == "type" else RewardValue(value=self.number, reason="")


class BadTask(Faulty, ToyTask):
    """Each of its calls can go wrong."""

    @property
    def info(self) -> Any:
        odd = self.due("info")
        info = super().info.model_copy(update={"id": f"bad-{self.config.call}"})
        if not odd:
            return info
        return 3 if self.config.fault == "type" else info.model_copy(
            update={"baseline": self.number, "exec_timeout_s": self.number}
        )  # fmt: skip

    def prepare(self, folder: Path) -> None:
        self.due("prepare")
        super().prepare(folder)

    def grader(self) -> Any:
        return 3 if self.due("grader") else self

    def grade(self, submission: bytes) -> Any:
        odd = self.due("grade")
        grade = super().grade(submission)
        if not odd:
            return grade
        return 0.5 if self.config.fault == "type" else grade.model_copy(
            update={"private": self.number}
        )  # fmt: skip


class Raises:
    """Fails while it is made."""

    def __init__(self, config: FaultConfig) -> None:
        Faulty(config.model_copy(update={"call": "make"})).due("make")


class Patches(JsonScaffold):
    """Replaces what everybody shares while it is made, and works."""

    def __init__(self, config: FaultConfig) -> None:
        Faulty(config.model_copy(update={"call": "make", "fault": "patch"})).due("make")
        super().__init__()


class BadTrainer(Faulty):
    """Fails in the words of systems and libraries, which are no news of the training's folder."""

    @property
    def needs_arena(self) -> Any:
        return 3 if self.due("needs_arena") else False

    def estimate(self, job: Any, machine: Any) -> Any:
        return 3 if self.due("estimate") else []

    def train(self, job: Any) -> Any:
        odd = self.due("train")
        said = {
            "elsewhere": FileNotFoundError(errno.ENOENT, "No such file", "vocab.bin"),
            "inside": PermissionError(errno.EACCES, "Not allowed", str(job.out / "weights")),
            "reset": ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"),
            "pipe": BrokenPipeError(errno.EPIPE, "Broken pipe"),
            "words": RuntimeError("tokenizer: file too large"),
            "full": OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
        }
        if ARMED[0] and self.config.call in said:
            raise said[self.config.call]
        (job.out / "final").mkdir(exist_ok=True)
        (job.out / "final" / "config.json").write_text("{}")
        return 3 if odd else PolicyRef(spec=f"local:{job.out}/final")


class BadSuite(Faulty):
    """Each of its calls can go wrong."""

    @property
    def info(self) -> Any:
        return 3 if self.due("info") else SuiteInfo(title="bad", source="nowhere")

    def tasks(self) -> Any:
        return 3 if self.due("tasks") else (SuiteTask(id="one", spec="bad"),)


class BadExport(Faulty):
    """Its one call can go wrong."""

    def write(self, corpus: Any, folder: Path) -> Any:
        if self.config.call == "elsewhere":
            raise FileNotFoundError(errno.ENOENT, "No such file", "vocab.bin")
        if self.config.call == "inside":
            raise PermissionError(errno.EACCES, "Not allowed", str(folder / "rows"))
        return "many" if self.due("write") else len(corpus.examples)


class BadMetric(Faulty):
    """A root mean square error that goes wrong once it has scored the naive submission."""

    numeric = True

    @property
    def info(self) -> Any:
        return 3 if self.due("info") else MetricInfo(name="bad", direction="minimize")

    def score(self, truth: Any, predicted: Any) -> Any:
        odd = self.due("score")
        return "good" if odd else float(((truth - predicted) ** 2).mean() ** 0.5)


class Surveyed(ToyTask):
    """A source of tasks whose survey goes wrong."""

    fault: ClassVar[Fault] = "raise"

    @classmethod
    def survey(cls, repo: Path, data: Path | None) -> Any:
        return Faulty(FaultConfig(call="survey", fault=cls.fault)).due("survey")


class Hollow:
    """Has nothing that any kind has to have."""


def bad_aliases(kind: str) -> Any:
    raise SystemExit("no aliases today")
