"""What a component says of itself, checked: anybody may have written it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from pydantic_core import from_json, to_json

from mlxlab.core.boundary import Boundary, Late, answering
from mlxlab.core.errors import MlxError, broken
from mlxlab.core.policy import Featured, Features, Metered, Policy, Price, Priced, Rates, Varying
from mlxlab.core.watch import limit_s, watched_loop


def recorded(instance: object, name: str) -> dict[str, Any]:
    """`resolved` or `details` as a record gives it back: tuples as lists, keys as text.

    An attribute of that name that is no mapping means something else, so nothing is stated.

    Raises:
        Exception: the attribute fails, or JSON cannot hold it.
    """
    said = getattr(instance, name, None)
    if not isinstance(said, Mapping):
        return {}
    found: dict[str, Any] = from_json(to_json(dict(said), inf_nan_mode="null"))
    return found


def metered(policy: Policy) -> tuple[str, Rates] | None:
    """The account and the rates that a policy states; None: none.

    Raises:
        TypeError: they are of another type.
    """
    if not isinstance(policy, Metered):
        return None
    account: object = policy.account
    rates: object = policy.rates
    if not isinstance(account, str):
        raise TypeError(f"account is {type(account).__name__}, no text")
    if not isinstance(rates, Rates):
        raise TypeError(f"rates is {type(rates).__name__}, no Rates")
    return account, rates


async def price_of(who: str, policy: Policy) -> Price | None:
    """The price that a policy states; what fails or is no price is no reason not to run.

    Args:
        who: the policy; see `boundary.whose`.
        policy: is asked, if it is `Priced`.

    Raises:
        Late: there was no answer in time.
    """
    return await _price(who, "price", policy, Priced)


async def dearest_of(who: str, policy: Policy) -> Price | None:
    """The most that a token may cost, as `price_of`; the price itself where that does not vary."""
    with Boundary(who, "dearest"):
        varies = isinstance(policy, Varying)
    return await (_price(who, "dearest", policy, Varying) if varies else price_of(who, policy))


async def features_of(who: str, policy: Policy) -> Features | None:
    """What a policy states of its model; None where it states nothing.

    Raises:
        PluginError: it failed, or stated something else.
    """
    found = await _said(who, "features", policy, Featured)
    if found is None or isinstance(found, Features):
        return found
    raise broken(who, "features", f"returned {type(found).__name__}, no Features")


async def _price(who: str, what: str, policy: Policy, stating: type) -> Price | None:
    try:
        found = await _said(who, what, policy, stating)
    except Late:
        raise
    except MlxError:
        return None
    return found if isinstance(found, Price) else None


async def _said(who: str, what: str, policy: Policy, stating: type) -> object:
    """What a policy states that has such an optional method; None of another one."""
    with watched_loop():
        async with answering(who, what, limit_s()):
            return await _asked(policy, what, stating)


async def _asked(policy: Policy, what: str, stating: type) -> object:
    if not isinstance(policy, stating):
        return None
    method: Callable[[], Awaitable[object]] = getattr(policy, what)
    return await method()


def count_of(found: object) -> int | None:
    """A number of tokens as a policy states it; what is none says nothing."""
    return found if isinstance(found, int) and found >= 0 else None
