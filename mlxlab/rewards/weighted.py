"""A mixture of rewards: the weighted sum of what each of them says."""

from __future__ import annotations

from math import isfinite
from typing import ClassVar
from urllib.parse import unquote

from pydantic import BaseModel, ConfigDict, Field, field_validator

from mlxlab.core.boundary import number_problem, whose
from mlxlab.core.errors import UsageError
from mlxlab.core.judging import judged
from mlxlab.core.records import RewardValue
from mlxlab.core.registry import Registry
from mlxlab.core.reward import Need, Reward, StepView
from mlxlab.core.task import TaskInfo

EXAMPLE = "weighted:ml-agent=0.7,valid=0.3"


class WeightedConfig(BaseModel):
    """Which rewards, and how much of each."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    argument: ClassVar[str] = "mixture"

    mixture: str = Field(
        description="Rewards and their weights: ml-agent=0.7,valid=0.3. A reward's own options "
        "are percent-encoded: ml-agent%3Fversion=2=0.7 (%3F is ?, %26 is &, %252C a comma).",
    )

    @field_validator("mixture")
    @classmethod
    def _readable(cls, mixture: str) -> str:
        read(mixture)
        return mixture


def read(mixture: str) -> dict[str, float]:
    """The weights of a mixture by spec; raises ValueError for what is no mixture."""
    found: dict[str, float] = {}
    for part in mixture.split(","):
        written, equals, weight = part.rpartition("=")
        spec = unquote(written.strip())
        if not equals or not spec:
            raise ValueError(f"'{part}' is not reward=weight, as in {EXAMPLE}")
        if spec in found:
            raise ValueError(f"'{spec}' occurs twice")
        found[spec] = _weight(spec, weight)
    return found


def _weight(spec: str, text: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        weight = 0.0
    if not isfinite(weight) or weight == 0:
        raise ValueError(f"the weight of '{spec}' is '{text}', which is no number other than 0")
    return weight


class Weighted:
    """The sum of rewards times their weights; a negative weight makes a penalty of a reward.

    The weights are taken as they are, so that 1 and 0.1 keep the first reward's own scale. Where
    one of the parts has nothing to say, neither has the mixture, and the reason is that part's: a
    sum over the others would have another scale, and make silence worth something. Every part
    that spoke is in `parts`, by its spec.
    """

    def __init__(self, config: WeightedConfig) -> None:
        registry = Registry.installed()
        self._parts: dict[str, tuple[Reward, float]] = {}
        self._owners: dict[str, str] = {}
        for spec, weight in read(config.mixture).items():
            made = registry.create("reward", spec)
            if not isinstance(made.instance, Reward):
                raise UsageError(f"'{spec}' in a mixture of rewards is no reward.")
            self._parts[spec] = made.instance, weight
            self._owners[spec] = whose(made.ref)
        rewards = [reward for reward, _ in self._parts.values()]
        self.needs: frozenset[Need] = frozenset().union(*(reward.needs for reward in rewards))
        self.range = self._range()

    def judge(self, step: StepView, task: TaskInfo) -> RewardValue:
        """Judge one step by every part; raises PluginError for one that fails, in its name."""
        found = {
            spec: judged(self._owners[spec], reward, step, task)
            for spec, (reward, _) in self._parts.items()
        }
        parts = {spec: said.value for spec, said in found.items() if said.value is not None}
        for spec, said in found.items():
            if said.value is None:
                return RewardValue(value=None, reason=f"{spec}: {said.reason}", parts=parts)
        total = sum(self._parts[spec][1] * value for spec, value in parts.items())
        terms = (
            f"{self._parts[spec][1]:g} x {value:.4g} ({spec})" for spec, value in parts.items()
        )
        if number_problem(total):
            return RewardValue(value=None, reason="the sum is too large", parts=parts)
        return RewardValue(value=total, reason=" + ".join(terms), parts=parts)

    def _range(self) -> tuple[float, float]:
        low, high = 0.0, 0.0
        for reward, weight in self._parts.values():
            ends = sorted(weight * end for end in reward.range)
            low, high = low + ends[0], high + ends[1]
        return low, high
