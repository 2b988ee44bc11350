"""The search tree as rows that fit: which nodes to show, and the branches before them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mlxlab.cli.view.items import Item, Items, children, path_to


@dataclass(frozen=True)
class Branches:
    """The characters that branches are drawn with."""

    through: str = "│ "
    fork: str = "├╴"
    last: str = "╰╴"
    none: str = "  "
    more: str = "‥"
    fold: str = "┆"


LINES = Branches()
ASCII = Branches("| ", "|-", "`-", "  ", "~", ":")


@dataclass(frozen=True)
class Row:
    """A node with its branches; without an item, `folded` nodes that are not shown."""

    branches: str
    item: Item | None = None
    folded: int = 0


def rows(
    items: Items,
    *,
    best: int | None = None,
    height: int | None = None,
    depth: int = 12,
    drawn: Branches = LINES,
) -> list[Row]:
    """The tree, depth first, in at most `height` rows.

    What runs, the best node, the newest and the best node's ancestors are shown first, then as
    many of the newest as fit. Beyond `depth` levels the branches to the left are left out.
    """
    lines = list(_lines(items, depth, drawn))
    if height is None or len(lines) <= height:
        return lines
    wanted = _by_interest(items, best)
    fits, too_many = 0, len(wanted)
    while too_many - fits > 1:
        middle = (fits + too_many) // 2
        if len(_folded(lines, set(wanted[:middle]), drawn)) <= height:
            fits = middle
        else:
            too_many = middle
    return _folded(lines, set(wanted[:fits]), drawn)[-height:]


def _by_interest(items: Items, best: int | None) -> list[int]:
    newest = sorted(items, reverse=True)
    running = [number for number in newest if items[number].status is None]
    path = path_to(items, best)
    return list(dict.fromkeys([*running, *path[:1], *newest[:3], *path, *newest]))


def _lines(items: Items, depth: int, drawn: Branches) -> Iterator[Row]:
    below = children(items)
    stack: list[tuple[int, tuple[str, ...]]] = [(root, ()) for root in reversed(below[None])]
    while stack:
        number, before = stack.pop()
        yield Row(_branches(before, depth, drawn), items[number])
        passed = tuple(drawn.through if part == drawn.fork else part for part in before)
        passed = tuple(drawn.none if part == drawn.last else part for part in passed)
        offspring = below.get(number, [])
        for child in reversed(offspring):
            mark = drawn.last if child == offspring[-1] else drawn.fork
            stack.append((child, (*passed, mark)))


def _branches(parts: Sequence[str], depth: int, drawn: Branches) -> str:
    if len(parts) <= depth:
        return "".join(parts)
    return drawn.more + "".join(parts[-depth:])


def _folded(lines: Sequence[Row], shown: set[int], drawn: Branches) -> list[Row]:
    """The rows with those not shown folded; a fold of one would save nothing."""
    result: list[Row] = []
    hidden: list[Row] = []

    def fold() -> None:
        if len(hidden) == 1:
            result.append(hidden[0])
        elif hidden:
            result.append(Row(drawn.fold, folded=len(hidden)))
        hidden.clear()

    for line in lines:
        if line.item is not None and line.item.id in shown:
            fold()
            result.append(line)
        else:
            hidden.append(line)
    fold()
    return result
