"""Every sandbox component's sweep, side by side; one that fails costs the others nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from mlxlab.cli.table import Column, print_json, print_table
from mlxlab.cli.text import count, plain
from mlxlab.core.boundary import answering, apart
from mlxlab.core.entries import Entry
from mlxlab.core.errors import MissingExtra, MlxError
from mlxlab.core.loading import whose_entry
from mlxlab.core.loops import run_loop
from mlxlab.core.registry import Registry
from mlxlab.core.upkeep import Leftover, listed, offered
from mlxlab.core.watch import limit_s

COLUMNS = (
    Column("SANDBOX"),
    Column("KIND"),
    Column("NAME"),
    Column("STATE"),
    Column("DETAIL"),
)
TIMEOUT_S = 60.0


@dataclass
class Swept:
    """What one component's sweep came to."""

    sandbox: str
    found: list[Leftover] = field(default_factory=list)
    absent: str = ""
    """Why it could not be asked."""
    failed: str = ""
    """Why something could not be removed."""

    @property
    def orphans(self) -> list[Leftover]:
        """What nobody uses."""
        return [one for one in self.found if not one.in_use]


def sweep_all(remove: bool, as_json: bool) -> int:
    """List everything, or remove what nobody uses; status 1 if something cannot be removed."""
    swept = run_loop(_all(remove))
    if as_json:
        print_json([_object(one, remove) for one in swept])
    else:
        _print(swept, remove)
    return int(any(one.failed for one in swept))


async def _all(remove: bool) -> list[Swept]:
    found = offered(Registry.installed(), "sweep")
    return list(await asyncio.gather(*(_one(entry, sweep, remove) for entry, sweep in found)))


async def _one(entry: Entry, sweep: Any, remove: bool) -> Swept:
    swept = Swept(entry.name)
    if isinstance(sweep, MlxError):
        swept.absent = _said(sweep)
        return swept
    try:
        swept.found = await _asked(entry, sweep, False)
    except MlxError as error:
        swept.absent = _said(error)
        return swept
    if remove and swept.orphans:
        try:
            swept.found = await _asked(entry, sweep, True)
        except MlxError as error:
            swept.failed = _said(error)
    return swept


async def _asked(entry: Entry, sweep: Any, remove: bool) -> list[Leftover]:
    """What a sweep found, in a thread and a loop of its own: one that blocks keeps nobody else.

    Raises:
        MlxError: it failed, took too long, or returned something else.
    """
    who = whose_entry(entry)

    async def bounded() -> object:
        async with answering(who, "sweep", min(TIMEOUT_S, limit_s())):
            return await sweep(remove=remove)

    found = await apart(who, "sweep", lambda: run_loop(bounded()))
    return listed(who, "sweep", found, Leftover)


def _said(error: MlxError) -> str:
    return str(error) if isinstance(error, MissingExtra) else error.message


def _object(swept: Swept, remove: bool) -> dict[str, Any]:
    gone = remove and not swept.failed
    return {
        "sandbox": swept.sandbox,
        "found": [{**one.model_dump(), "removed": gone and not one.in_use} for one in swept.found],
        "absent": swept.absent or None,
        "failed": swept.failed or None,
    }


def _print(swept: Sequence[Swept], remove: bool) -> None:
    rows = [
        [one.sandbox, left.kind, left.name, _state(one, left, remove), left.detail]
        for one in swept
        for left in one.found
    ]
    if rows:
        print_table(COLUMNS, rows)
    for one in swept:
        if one.absent or one.failed:
            what = "could not be pruned" if one.failed else "was not asked"
            print(plain(f"{one.sandbox} {what}: {one.failed or one.absent}"))
    orphans = sum(len(one.orphans) for one in swept)
    if remove:
        gone = sum(len(one.orphans) for one in swept if not one.failed)
        print(f"Removed {count(gone, 'leftover')}." if orphans else "Nothing was left behind.")
    elif orphans:
        print(f"Left behind: {orphans}. Remove with: mlx sandboxes prune")
    elif not rows:
        print("No sandbox is open, and nothing was left behind.")


def _state(swept: Swept, left: Leftover, remove: bool) -> str:
    if left.in_use:
        return "in use"
    return "removed" if remove and not swept.failed else "left behind"
