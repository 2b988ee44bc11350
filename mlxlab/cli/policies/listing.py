"""`mlx policies list`: policies and presets with model, key and price; nobody is asked."""

from __future__ import annotations

import inspect
from typing import Any

from mlxlab.cli.failure import report
from mlxlab.cli.table import Column, print_json, print_table
from mlxlab.core.aliases import KIND
from mlxlab.core.boundary import Boundary
from mlxlab.core.entries import Entry, of_kind
from mlxlab.core.errors import MlxError
from mlxlab.core.loading import whose_entry
from mlxlab.core.policy import Offer, Price
from mlxlab.core.registry import Registry
from mlxlab.core.upkeep import listed, offered

COLUMNS = (
    Column("NAME"),
    Column("MODEL", spare=3),
    Column("KEY"),
    Column("VARIABLE", spare=4),
    Column("$ A MILLION TOKENS", spare=1),
    Column("CONTEXT", right=True, spare=2),
    Column("NOTES", cut=True),
)
_MILLION = 1_000_000


def list_policies(as_json: bool) -> int:
    """Print every policy, and every model that has a name of its own."""
    registry = Registry.installed()
    policies = [_described(registry, entry) for entry in of_kind(registry.entries, "policy")]
    found = _offers(registry)
    if as_json:
        print_json({"policies": policies, "presets": [_object(offer) for offer in found]})
        return 0
    rows = [[one["written"], *[""] * 5, one["description"]] for one in policies]
    print_table(COLUMNS, [*rows, *(_cells(offer) for offer in found)])
    return 0


def _described(registry: Registry, entry: Entry) -> dict[str, Any]:
    """A policy's name as it is written, and what it says of itself or why it does not load."""
    argument = None
    try:
        argument = getattr(registry.model(entry), "argument", None)
        with Boundary(whose_entry(entry), "its description"):
            text = (inspect.getdoc(registry.load(entry)) or "").partition("\n")[0]
    except MlxError as error:
        text = error.message
    written = f"{entry.name}:{argument.upper()}" if argument else entry.name
    return {
        "name": entry.name,
        "written": written,
        "distribution": entry.distribution,
        "description": text,
    }


def _offers(registry: Registry) -> list[Offer]:
    """The offers of every source of aliases; a registered policy wins its name.

    A plugin's source that fails is told on stderr, and costs the others nothing.

    Raises:
        UsageError: the user's own presets are wrong.
    """
    taken = set(registry.names("policy"))
    found: dict[str, Offer] = {}
    for entry, offers in offered(registry, "offers", KIND):
        try:
            found = {**{offer.name: offer for offer in _made(entry, offers)}, **found}
        except MlxError as error:
            if entry.builtin:
                raise
            report(error)
    return [offer for name, offer in found.items() if name not in taken]


def _made(entry: Entry, offers: Any) -> list[Offer]:
    """What one source offers; raises MlxError."""
    if isinstance(offers, MlxError):
        raise offers
    who = whose_entry(entry)
    with Boundary(who, "offers"):
        found = offers()
    return listed(who, "offers", found, Offer)


def _object(offer: Offer) -> dict[str, Any]:
    return {**offer.model_dump(mode="json"), "price": _dollars(offer.price)}


def _dollars(price: Price | None) -> dict[str, float | None] | None:
    """A price in US dollars a million tokens."""
    if price is None:
        return None
    cached = price.cached_prompt_usd
    return {
        "prompt": _round(price.prompt_usd),
        "completion": _round(price.completion_usd),
        "cached_prompt": None if cached is None else _round(cached),
    }


def _round(usd: float) -> float:
    return round(usd * _MILLION, 6)


def _cells(offer: Offer) -> list[str]:
    context = offer.features.context_tokens
    return [
        offer.name,
        offer.model,
        _key(offer),
        offer.key or "",
        _price(offer.price),
        f"{context / 1000:.0f}k" if context else "",
        f"yours. {offer.notes}".strip() if offer.own else offer.notes,
    ]


def _key(offer: Offer) -> str:
    if offer.key is None:
        return "none"
    return "set" if offer.key_set else "missing"


def _price(price: Price | None) -> str:
    if price is None:
        return "unknown"
    return f"{_amount(price.prompt_usd)} + {_amount(price.completion_usd)}"


def _amount(usd: float) -> str:
    value = _round(usd)
    return f"{value:.2f}" if value >= 0.1 or not value else f"{value:.2g}"
