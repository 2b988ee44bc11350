"""A step's figures in words: which are shown, in what order, and as what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import isfinite

from mlxlab.cli.text import percent, short

SHARES = frozenset({"improvement", "valid", "token_accuracy", "valid_text"})
MAIN = ("reward", "improvement", "valid", "loss", "kl", "entropy", "unique")
"""What a step's line holds, as far as the trainer tells it."""
PHASES = {"generate_s": "generate", "execute_s": "execute", "update_s": "update"}
COUNTS = frozenset(
    {
        *("executed", "cached", "failed", "flat_groups", "groups", "actions", "unique"),
        *("unvalued", "empty_groups"),
    }
)
_DETAILS = {"step_s", "execution_s", "wait_s", "save_s", "lr", "grad_norm", "tokens_s"}
_ELSEWHERE = {*MAIN, *PHASES, *COUNTS, *_DETAILS}
_LEVELS = "▁▂▃▄▅▆▇█"
_ASCII = "_.-=+*%#"


def value(name: str, figure: float | None) -> str:
    """A figure as people read it; a dash where there is none."""
    if figure is None or not isfinite(figure):
        return "-"
    if name in SHARES:
        return percent(figure)
    size = abs(figure)
    if name in COUNTS or 100 <= size < 1e6:
        return f"{figure:.0f}"
    return f"{figure:.3f}" if 1e-3 <= size < 100 else short(figure)


def told(figures: Mapping[str, float]) -> Iterator[tuple[str, str]]:
    """The main figures that are there, then what is the trainer's own."""
    for name in (*MAIN, *others(figures)):
        if name in figures:
            yield name, value(name, figures[name])


def vain(figures: Mapping[str, float]) -> Iterator[str]:
    """What taught nothing, where there is some: groups without variance, actions without reward."""
    groups, flat = figures.get("groups", 0), figures.get("flat_groups", 0)
    if groups and flat:
        yield f"flat {flat:.0f} of {groups:.0f}"
    if unvalued := figures.get("unvalued", 0):
        yield f"unvalued {unvalued:.0f}"


def others(figures: Mapping[str, float]) -> list[str]:
    """Figures that no other place shows."""
    return [name for name in figures if name not in _ELSEWHERE]


def trend(values: Sequence[float], width: int, plain: bool = False) -> str:
    """A curve of at most `width` characters from the lowest value to the highest."""
    finite = [v for v in values if isfinite(v)]
    levels = _ASCII if plain else _LEVELS
    if len(finite) < 2 or width < 1:
        return ""
    parts = [
        _bucket(finite, number, min(width, len(finite)))
        for number in range(min(width, len(finite)))
    ]
    low, high = min(parts), max(parts)
    span = high - low
    if span <= 1e-12 * max(1.0, abs(high)):
        return levels[0] * len(parts)
    return "".join(levels[min(len(levels) - 1, int((v - low) / span * len(levels)))] for v in parts)


def _bucket(values: Sequence[float], number: int, of: int) -> float:
    part = values[number * len(values) // of : (number + 1) * len(values) // of]
    return sum(part) / len(part)
