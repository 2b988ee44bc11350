"""What a call may cost at most, before it is made."""

from __future__ import annotations

from mlxlab.core.policy import Policy, PolicyRequest, Price
from mlxlab.core.records import Completion
from mlxlab.core.reserve import Bounds, Gauge

from mlx_thrifty import both


class Most:
    """Estimates from a policy's bound and price; a prompt's length is told better by each call."""

    def __init__(self) -> None:
        self._gauge = Gauge()

    def of(self, policy: Policy, request: PolicyRequest, price: Price | None) -> float | None:
        """US dollars that a request may cost; None where the price or the length is unknown."""
        if price is None or price == Price():
            return None if price is None else 0.0
        prompt, answer = both.bound(policy, request)
        limits = (answer, request.token_limit)
        known = [limit for limit in limits if limit is not None]
        if prompt is None:
            prompt = self._gauge.bound(request.messages)
        longest = min(known) if known else request.sampling.max_tokens
        return None if longest is None else Bounds(prompt, longest, price).cost(longest)

    def learn(self, request: PolicyRequest, done: Completion) -> None:
        """Take in how many tokens a prompt turned out to have."""
        self._gauge.learn(request.messages, done.usage)
