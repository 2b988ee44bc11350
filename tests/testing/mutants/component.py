"""For each check of components a component that breaks its promise, and what the check says."""

from __future__ import annotations

import random
import threading
import time
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_serializer

from mlxlab.core.records import Decision, RewardValue
from mlxlab.core.reward import Need, StepView
from mlxlab.core.task import TaskInfo


class GoodConfig(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    argument: ClassVar[str] = "value"

    value: float = Field(1.0, description="What it says.")


class Good:
    """Says the same of every step."""

    needs: frozenset[Need] = frozenset()

    def __init__(self, config: GoodConfig) -> None:
        self.config = config
        self.range = (config.value, config.value)

    def judge(self, step: StepView, task: TaskInfo) -> RewardValue:
        return RewardValue(value=self.config.value, reason="always")


class Mute(Good): ...


class Bare(Good):
    """Takes two numbers."""

    def __init__(self, value, weight):  # type: ignore[no-untyped-def]
        super().__init__(GoodConfig(value=value * weight))


class Plain(Good):
    """Takes a number that no option can set."""

    def __init__(self, weight: float = 1.0) -> None:
        super().__init__(GoodConfig(value=weight))


class SilentConfig(GoodConfig):
    weight: float = 1.0


class Silent(Good):
    """Does not say what its weight is."""

    def __init__(self, config: SilentConfig) -> None:
        super().__init__(config)


class LossyConfig(GoodConfig):
    draw: float = Field(0.25, description="A number.")

    @field_serializer("draw")
    def _rounded(self, draw: float) -> int:
        return round(draw)


class Lossy(Good):
    """Has a number that a record rounds."""

    def __init__(self, config: LossyConfig) -> None:
        super().__init__(config)


class GuardedConfig(GoodConfig):
    key: SecretStr = Field(description="What opens it.")
    token: str = Field("", exclude=True, description="What opens it too.")
    limit: tuple[float, ...] = Field((1.0,), description="A limit.")


class Guarded(Good):
    """Needs a secret, which no record holds."""

    def __init__(self, config: GuardedConfig) -> None:
        super().__init__(config)


class GuardedLossyConfig(GuardedConfig, LossyConfig):
    """Both."""


class GuardedLossy(Good):
    """Needs a secret, and has a number that a record rounds."""

    def __init__(self, config: GuardedLossyConfig) -> None:
        super().__init__(config)


class LostConfig(GoodConfig):
    argument: ClassVar[str] = "path"


class Lost(Good):
    """Has an argument that is no option."""

    def __init__(self, config: LostConfig) -> None:
        super().__init__(config)


class Busy(Good):
    """Starts a thread."""

    def __init__(self, config: GoodConfig) -> None:
        super().__init__(config)
        threading.Thread(target=time.sleep, args=(2,), name="busy", daemon=True).start()


class Moody(Good):
    """Is another one each time."""

    def __init__(self, config: GoodConfig) -> None:
        super().__init__(config)
        self.resolved = {"mood": random.random()}


class Boundless:
    """Has no range."""

    needs: frozenset[Need] = frozenset()

    def __init__(self, config: GoodConfig) -> None:
        self.config = config

    def judge(self, step: StepView, task: TaskInfo) -> RewardValue:
        return RewardValue(value=self.config.value, reason="always")


class Swapped(Good):
    """Takes the task first."""

    def judge(self, task: TaskInfo, step: StepView) -> RewardValue:  # type: ignore[override]
        return super().judge(step, task)


class Excused(Good):
    """Declares a gap of a check that there is not."""

    known_gaps: ClassVar[dict[str, str]] = {"reward.is_kind": "it is strict"}


class Misspelt(Good):
    """Declares its gaps under another name."""

    knwon_gaps: ClassVar[dict[str, str]] = {"reward.is_read_back": "it is shy"}


class Chatty(Good):
    """Tells its suite under another name."""

    confromance: ClassVar[dict[str, object]] = {"mood": "good"}


class Slipped(Good):
    """Declares a gap of a check that is spelt otherwise, and tells its suite under such a name."""

    known_gaps: ClassVar[dict[str, str]] = {"reward.is_raed_back": "it is shy"}
    conformance: ClassVar[dict[str, object]] = {"casse": ()}


class SlippedConfig(GoodConfig):
    argument: ClassVar[str] = "vale"


class Lettered(Good):
    """Has an argument that is spelt otherwise."""

    def __init__(self, config: SlippedConfig) -> None:
        super().__init__(config)


class Bounds(Good):
    """A policy whose bound is spelt otherwise."""

    def bounds(self, request: object) -> tuple[int, int]:
        return 0, 0

    def prices(self, model: str) -> float:
        """No slip: a price takes no model."""
        return 0.0


class Mapped(Good):
    """Has maps, which are no gaps."""

    known_maps: ClassVar[dict[str, str]] = {"north": "up"}


class Talkative(Good):
    """Tells its suite what the suite did not ask."""

    conformance: ClassVar[dict[str, object]] = {"mood": "good"}


class Half(Good):
    """A scaffold that has a form, and does not write it."""

    def form(self, decision: Decision) -> None: ...


class Privileged(Good):
    """Declares a gap of a check that there is not, once it is made."""

    def __init__(self, config: GoodConfig) -> None:
        super().__init__(config)
        self.known_gaps = {"reward.is_kind": "it is strict"}


def excused() -> Excused:
    """The same from a function, which itself declares nothing."""
    return Excused(GoodConfig())


def talkative() -> Talkative:
    """The same from a function, which itself says nothing."""
    return Talkative(GoodConfig())


KINDS = {"optional_parts_are_whole": "scaffold"}
"""Of the mutants that are no rewards, for which there is nothing optional."""
MUTANTS = {
    "conformance_is_its_suites": (
        "component:Talkative",
        "conformance names 'mood', and its suite knows cases",
    ),
    "argument_is_an_option": ("component:Lost", "argument is 'path', which is no option"),
    "is_described": ("component:Mute", "component:Mute has no docstring"),
    "known_gaps_are_checks": ("component:Excused", "names no check: reward.is_kind"),
    "loads_alone": ("loud:Good", "it prints while it is loaded: 'hello"),
    "loads_cheaply": ("heavy:Good", "it imports numpy (tests/testing/mutants/heavy.py:"),
    "making_changes_nothing": ("component:Busy", "the thread busy runs on"),
    "options_are_described": ("component:Silent", "options without a description: weight"),
    "options_survive_json": ("component:Lossy", "come back from JSON as others: draw"),
    "optional_parts_are_whole": ("component:Half", "it has form and no written"),
    "parts_are_there": (
        "component:Boundless",
        "has to have: range (at tests/testing/mutants/component.py:",
    ),
    "record_makes_it_again": ("component:Moody", "which makes"),
    "signatures_are_the_protocols": (
        "component:Swapped",
        "): its parameter 1 is task, not step; expected def judge(step, task)",
    ),
    "takes_one_config": ("component:Bare", "'value' is not annotated with a pydantic model"),
}
