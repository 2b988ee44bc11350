"""The tree as rows: nothing is lost, what matters is shown, and it fits."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from mlxlab.cli.view.items import Item, path_to
from mlxlab.cli.view.layout import ASCII, rows
from mlxlab.cli.view.tree import PLAIN, Glyphs, Moment, draw


@st.composite
def trees(draw: st.DrawFn) -> dict[int, Item]:
    size = draw(st.integers(0, 60))
    items = {}
    for number in range(size):
        parent = draw(st.none() | st.integers(0, number - 1)) if number else None
        status = draw(st.sampled_from(["ok", "error", "invalid_submission"]))
        ended = number < size - draw(st.integers(0, 2))
        operator = draw(st.sampled_from(["draft", "improve", "x" * 40]))
        items[number] = Item(
            number, parent, operator, status if ended else None, 0.5, note="note " * 20
        )
    return items


@given(trees(), st.integers(5, 40), st.data())
def test_every_node_is_shown_or_counted_and_the_best_is_shown(
    items: dict[int, Item], height: int, data: st.DataObject
) -> None:
    best = data.draw(st.sampled_from(sorted(items))) if items else None
    shown = rows(items, best=best, height=height)
    assert len(shown) <= height
    seen = [row.item.id for row in shown if row.item]
    assert len(set(seen)) == len(seen)
    assert len(seen) + sum(row.folded for row in shown) == len(items)
    running = [item for item in items.values() if item.status is None]
    if best is not None and len(running) < 2:
        assert best in seen


@given(trees())
def test_without_a_height_the_whole_tree_is_drawn_parents_first(items: dict[int, Item]) -> None:
    order = [row.item.id for row in rows(items) if row.item]
    assert sorted(order) == sorted(items)
    place = {number: i for i, number in enumerate(order)}
    for item in items.values():
        assert item.parent is None or place[item.parent] < place[item.id]


@given(trees(), st.sampled_from([80, 120, 200]), st.sampled_from([Glyphs(), PLAIN]))
def test_lines_fit_the_width(items: dict[int, Item], width: int, signs: Glyphs) -> None:
    shown = rows(items, depth=width // 10, drawn=signs.branches)
    for line in draw(shown, None, width, signs, Moment(1.0)):
        assert cell_len(line.plain) <= width


def test_branches() -> None:
    parents = {0: None, 1: 0, 2: 1, 3: 0, 4: None}
    items = {n: Item(n, parent, "o", "ok") for n, parent in parents.items()}
    drawn = [f"{row.branches}{row.item.id}" for row in rows(items, drawn=ASCII) if row.item]
    assert drawn == ["0", "|-1", "| `-2", "`-3", "4"]


def test_deep_branches_keep_their_right_end() -> None:
    items = {n: Item(n, n - 1 if n else None, "o", "ok") for n in range(30)}
    last = rows(items, depth=4, drawn=ASCII)[-1]
    assert last.branches == "~" + "  " * 3 + "`-"


def test_a_cycle_in_a_broken_record_does_no_harm() -> None:
    items = {0: Item(0, 0, "o", "ok"), 1: Item(1, 9, "o", "ok")}
    assert len(rows(items)) == 2
    assert path_to({1: Item(1, 2, "o"), 2: Item(2, 1, "o")}, 1) == [1, 2]
