"""Two policies behind one: the cheap one for what is easy, the strong one while its money lasts."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, ClassVar

from mlxlab.core.errors import CutOff, UsageError
from mlxlab.core.policy import Features, Policy, PolicyRequest, Price, Rates
from mlxlab.core.records import Completion
from mlxlab.core.registry import Component, Registry
from pydantic import BaseModel, ConfigDict, Field

from mlx_thrifty import both
from mlx_thrifty.allowance import Allowance
from mlx_thrifty.most import Most

POOR = "answered by the cheap policy: what the strong one may take is used up"


class ThriftyConfig(BaseModel):
    """Options; the argument is the strong policy: `thrifty:litellm:openai/gpt-5?usd=2`."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    argument: ClassVar[str] = "strong"

    strong: str = Field(
        description="The policy for what is hard, as it is written after --policy; its own "
        "options are percent-encoded: local:model%3Fdtype=float32 (%3F is ?, %26 is &)."
    )
    cheap: str = Field(
        "catalog",
        description="The policy for what is easy, and for everything once the strong one's money "
        "is spent; written likewise.",
    )
    usd: float | None = Field(
        None, gt=0, description="US dollars that the strong policy may take; by default no limit."
    )
    calls: int | None = Field(
        None,
        ge=0,
        description="Calls that it may take, where it has no price; default: no limit.",
    )
    easy: tuple[str, ...] = Field(
        ("draft", "summary", "repair"),
        description="What the cheap policy answers from the start: operators of the scaffold's "
        "steps, and roles of calls (policy, editor, summary, repair).",
    )


class ThriftyPolicy:
    """Routes each request to one of two policies; the record says which model answered.

    What a call of the strong policy may take at most is set aside before it is made, so that calls
    side by side do not pass the limit together. Where its price or its answer's length is unknown,
    as much as its dearest call yet is set aside. The money is counted for as long as this object
    lives: a resumed run begins with the whole of it again. mlxlab's own `--max-cost` counts
    everything, over all resumptions.

    An answer that the strong policy fails to give is not asked of the cheap one: mlxlab waits for a
    provider that fails, and nobody wants a run whose author changes with the weather.
    """

    account: str
    """Of both, where either states one: absent where neither does."""
    rates: Rates

    def __init__(self, config: ThriftyConfig) -> None:
        self.config = config
        cheap, strong = made(config.cheap), made(config.strong)
        self.cheap: Policy = cheap.instance
        self.strong: Policy = strong.instance
        self.resolved: Mapping[str, Any] = _by_part("resolved", cheap, strong)
        self.details: Mapping[str, Any] = _by_part("details", cheap, strong)
        self._allowance = Allowance(config.usd, config.calls)
        self._most = Most()
        metered = both.metered(self.cheap, self.strong)
        if metered is not None:
            self.account, self.rates = metered

    async def act(self, request: PolicyRequest) -> Completion:
        """Have one of the two answer; raises PolicyError as that one does."""
        if self._easy(request):
            return await self.cheap.act(request)
        most = self._most.of(self.strong, request, await both.dearest(self.strong))
        held = self._allowance.take(most)
        if held is not None:
            return await self._by_strong(request, held)
        done = await self.cheap.act(request)
        return done.model_copy(update={"notes": (*done.notes, POOR)})

    async def _by_strong(self, request: PolicyRequest, held: float) -> Completion:
        try:
            done = await self.strong.act(request)
        except (CutOff, asyncio.CancelledError):
            self._allowance.lost(held)
            raise
        except BaseException:
            self._allowance.unused(held)
            raise
        self._most.learn(request, done)
        self._allowance.paid(held, done.cost_usd)
        return done

    def bound(self, request: PolicyRequest) -> tuple[int | None, int | None]:
        """What a call may take: the cheap one's bound where it is certain, else the larger."""
        cheap = both.bound(self.cheap, request)
        if self._easy(request) or self._allowance.spent:
            return cheap
        strong = both.bound(self.strong, request)
        return both.larger(cheap[0], strong[0]), both.larger(cheap[1], strong[1])

    async def price(self) -> Price | None:
        """What a token costs of the policy that is asked what is hard now; None: unknown."""
        return await both.price(self.cheap if self._allowance.spent else self.strong)

    async def dearest(self) -> Price | None:
        """The most that a token may cost of either; None where one is unknown."""
        return both.dearer(await both.dearest(self.cheap), await both.dearest(self.strong))

    async def features(self) -> Features:
        """What both can do; a scaffold cannot rely on more."""
        return both.shared(await both.features(self.cheap), await both.features(self.strong))

    async def close(self) -> None:
        """Close both, the second one too where the first one fails."""
        try:
            await self.cheap.close()
        finally:
            await self.strong.close()

    def _easy(self, request: PolicyRequest) -> bool:
        easy = self.config.easy
        return request.role in easy or request.decision.operator in easy


def made(spec: str) -> Component[Any]:
    """A policy of any distribution, made as `--policy` makes it."""
    found = Registry.installed().create("policy", spec)
    if not isinstance(found.instance, Policy):
        raise UsageError(f"'{spec}' is no policy.")
    return found


def _by_part(name: str, cheap: Component[Any], strong: Component[Any]) -> dict[str, Any]:
    """What the record says of each, where it says anything."""
    said = {"cheap": getattr(cheap.ref, name), "strong": getattr(strong.ref, name)}
    return {part: found for part, found in said.items() if found}
