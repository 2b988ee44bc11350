"""What a component says of itself, checked: anybody may have written it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import Any, cast

from pydantic_core import from_json, to_json

from mlxlab.core.boundary import HUGE, Boundary, Late, answering, awaited
from mlxlab.core.errors import MlxError, PluginError, broken
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
from mlxlab.core.watch import limit_s, watched_loop

Noted = Callable[[BaseException], None]
"""Who hears of a failure that costs nothing but what was to be stated."""


def unheard(error: BaseException) -> None:
    """Nobody hears of it."""


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


async def price_of(who: str, policy: Policy, noted: Noted = unheard) -> Price | None:
    """The price that a policy states; what fails or is no price is no reason not to run.

    Args:
        who: the policy; see `boundary.whose`.
        policy: is asked, if it is `Priced`.
        noted: hears of what failed or was no price.

    Raises:
        Late: there was no answer in time.
    """
    return await _price(who, "price", policy, Priced, noted)


async def dearest_of(who: str, policy: Policy, noted: Noted = unheard) -> Price | None:
    """The most that a token may cost, as `price_of`; the price itself where that does not vary."""
    with Boundary(who, "dearest"):
        varies = isinstance(policy, Varying)
    if varies:
        return await _price(who, "dearest", policy, Varying, noted)
    return await price_of(who, policy, noted)


def bound_of(who: str, policy: Policy, request: PolicyRequest) -> tuple[int | None, int | None]:
    """Most tokens of prompt and answer, as a policy states them; None where it states nothing.

    Raises:
        PluginError: it failed, or stated something else.
    """
    with Boundary(who, "bound"):
        if not isinstance(policy, Bounded):
            return None, None
        found: object = policy.bound(request)
        problem = bound_problem(found)
    if problem:
        raise broken(who, "bound", problem)
    return cast("tuple[int | None, int | None]", found)


def bound_problem(found: object) -> str:
    """What keeps an answer of `bound` from being one; empty: nothing."""
    if isinstance(found, Coroutine):
        found.close()  # nobody will wait for it, and Python would say so
        return "is async, where def bound(...) is meant"
    if not (isinstance(found, tuple) and len(found) == 2):
        return f"returned {type(found).__name__}, no pair of counts or None"
    wrong = [_shown(each) for each in found if not _is_count(each)]
    return f"returned {wrong[0]} in its pair, no count and no None" if wrong else ""


async def features_of(who: str, policy: Policy) -> Features | None:
    """What a policy states of its model; None where it states nothing.

    Raises:
        PluginError: it failed, or stated something else.
    """
    found = await _said(who, "features", policy, Featured)
    if found is None or isinstance(found, Features):
        return found
    raise broken(who, "features", f"returned {type(found).__name__}, no Features")


async def _price(who: str, what: str, policy: Policy, stating: type, noted: Noted) -> Price | None:
    try:
        found = await _said(who, what, policy, stating)
        if found is None or isinstance(found, Price):
            return found
        raise broken(who, what, f"returned {type(found).__name__}, no Price")
    except Late:
        raise
    except MlxError as error:
        noted(owned(who, what, error))
        return None


async def _said(who: str, what: str, policy: Policy, stating: type) -> object:
    """What a policy states that has such an optional method; None of another one."""
    with watched_loop():
        async with answering(who, what, limit_s()):
            if not isinstance(policy, stating):
                return None
            return await awaited(who, what, getattr(policy, what)())


def owned(who: str, what: str, error: MlxError) -> PluginError:
    """An error as its owner's: authors may raise one of ours that names nobody."""
    if isinstance(error, PluginError) and error.owner:
        return error
    named = broken(who, what, f"failed: {error.message.rstrip('.')}", error.hint)
    named.__cause__ = error
    return named


def _is_count(found: object) -> bool:
    return found is None or (isinstance(found, int) and not isinstance(found, bool) and found >= 0)


def _shown(found: object) -> str:
    """A number as it is; of all else the type, since anything may stand in its text."""
    number = type(found) in (int, float) and abs(cast("float", found)) < HUGE
    return f"{found}" if number else type(found).__name__
