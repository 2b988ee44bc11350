"""What all pictures have in common: a light look, and one colour for each policy and line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

_LINES = {
    "random valid": ("#8a8f98", "--"),
    "random search": ("#8a8f98", ":"),
    "best constant": ("#b8860b", "-."),
    "probes + random": ("#7a5195", ":"),
    "free probes + random": ("#b58ac9", "--"),
    "expert": ("#2f7f6f", "--"),
    "best by public score": ("#444b55", ":"),
    "ceiling": ("#111418", "-"),
}
_POLICIES = ("#9fb3c8", "#3b7dd8", "#d1495b", "#2e9f5b", "#e08e29", "#8e5bd1", "#0f9aa8", "#c2528b",
             "#6b4f3a", "#9aa81c")  # fmt: skip


def line_style(name: str) -> tuple[str, str]:
    """The colour and dashes of a reference line."""
    return _LINES.get(name, ("#555555", "--"))


def colours(names: Sequence[str]) -> dict[str, str]:
    """One colour for each policy; `base` is the palest."""
    others = [name for name in names if name != "base"]
    found = {name: _POLICIES[1 + n % (len(_POLICIES) - 1)] for n, name in enumerate(others)}
    return {**found, "base": _POLICIES[0]}


@contextmanager
def figure(path: Path, rows: int, columns: int, size: tuple[float, float]) -> Iterator[Any]:
    """Axes of one picture, saved as a PNG when they are drawn; draws without a display."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    made = Figure(figsize=size, layout="constrained", facecolor="white")
    FigureCanvasAgg(made)
    axes = made.subplots(rows, columns, squeeze=False)
    for row in axes:
        for each in row:
            each.spines[["top", "right"]].set_visible(False)
            each.grid(axis="y", color="#e4e8ee", linewidth=0.8)
            each.set_axisbelow(True)
            each.tick_params(labelsize=9, color="#8a8f98")
            each.ticklabel_format(useOffset=False)
    yield made, axes
    made.savefig(path, dpi=130)


def smooth(values: Sequence[float], width: int) -> list[float]:
    """A moving mean over the last `width` values."""
    found = []
    for end in range(1, len(values) + 1):
        part = values[max(0, end - width) : end]
        found.append(sum(part) / len(part))
    return found


def medians(values: Sequence[float], width: int) -> list[float]:
    """A moving median over the last `width` values: what `smooth` is, where some are far off."""
    return [median(values[max(0, end - width) : end]) for end in range(1, len(values) + 1)]


def top(values: Sequence[float]) -> float:
    """Where an axis may end that shows all but the most extreme of these values."""
    ordered = sorted(values)
    return max(1.25 * ordered[int(0.95 * (len(ordered) - 1))], 1e-6)
