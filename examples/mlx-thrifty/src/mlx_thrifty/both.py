"""What two policies say of themselves, asked of each and put together; all of it is optional."""

from __future__ import annotations

from mlxlab.core.policy import (
    Bounded,
    Featured,
    Features,
    Metered,
    Policy,
    PolicyRequest,
    Price,
    Priced,
    Rates,
    Varying,
)


def bound(policy: Policy, request: PolicyRequest) -> tuple[int | None, int | None]:
    """Most tokens of prompt and answer; None where the policy does not say."""
    return policy.bound(request) if isinstance(policy, Bounded) else (None, None)


def larger(one: int | None, other: int | None) -> int | None:
    """The larger number; None where one is unknown."""
    return None if one is None or other is None else max(one, other)


async def price(policy: Policy) -> Price | None:
    """What a policy's model costs now; None where it does not say."""
    return await policy.price() if isinstance(policy, Priced) else None


async def dearest(policy: Policy) -> Price | None:
    """The most that it costs at any time; None where it does not say."""
    return await policy.dearest() if isinstance(policy, Varying) else await price(policy)


def dearer(one: Price | None, other: Price | None) -> Price | None:
    """A price that neither passes; None where one is unknown."""
    if one is None or other is None:
        return None
    return Price(
        prompt_usd=max(one.prompt_usd, other.prompt_usd),
        completion_usd=max(one.completion_usd, other.completion_usd),
        cached_prompt_usd=max(_cached(one), _cached(other)),
    )


async def features(policy: Policy) -> Features:
    """What is known of a policy's model."""
    return await policy.features() if isinstance(policy, Featured) else Features()


def shared(one: Features, other: Features) -> Features:
    """What both can do: the shorter length, and what neither lacks; unknown where one is."""
    pairs = {name: (value, getattr(other, name)) for name, value in one}
    return Features.model_validate(
        {name: None if None in pair else min(pair) for name, pair in pairs.items()}
    )


def metered(one: Policy, other: Policy) -> tuple[str, Rates] | None:
    """The account and rates of whichever states them; of two accounts, limits that keep both."""
    stated = [each for each in (one, other) if isinstance(each, Metered)]
    if not stated:
        return None
    names = dict.fromkeys(each.account for each in stated)
    rates = stated[0].rates
    for each in stated[1:]:
        rates = _tighter(rates, each.rates)
    return " and ".join(names), rates


def _tighter(one: Rates, other: Rates) -> Rates:
    found = {}
    for name, value in one:
        known = [limit for limit in (value, getattr(other, name)) if limit is not None]
        found[name] = min(known, default=None)
    return Rates.model_validate(found)


def _cached(price: Price) -> float:
    return price.prompt_usd if price.cached_prompt_usd is None else price.cached_prompt_usd
