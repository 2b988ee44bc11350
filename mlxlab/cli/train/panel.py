"""The lines of a training's screen."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from rich.text import Text

from mlxlab.api.training import TrainManifest
from mlxlab.cli.text import count, duration, percent, plain
from mlxlab.cli.train.figures import MAIN, PHASES, others, trend, value
from mlxlab.cli.train.lines import Pace
from mlxlab.cli.view.tree import PLAIN, Glyphs
from mlxlab.core.trainer import TrainProgress

LATEST = 10
"""Figures on the screen are means over so many steps, for a single one says little."""
_OWN_FIGURES = 4
"""More figures of a trainer's own would not fit one screen."""


@dataclass
class Shown:
    """What a stage's screen is drawn from."""

    manifest: TrainManifest
    folder: Path
    steps: list[TrainProgress]
    pace: Pace
    warnings: deque[str]
    over: bool = False


def panel(shown: Shown, width: int, signs: Glyphs) -> Iterator[Text]:
    """One frame."""
    steps = list(shown.steps)  # the training's thread appends while this one draws
    yield from _header(shown)
    yield Text(signs.rest * width, "dim", no_wrap=True, overflow="crop")
    yield _bar(shown, steps, width, signs)
    if steps:
        yield from _curves(steps, width, signs)
        yield from costs(steps)
    elif not shown.over:
        frame = signs.frames[int(time.monotonic() * 8) % len(signs.frames)]
        yield _line((f"{frame} loading the model, then the first step", "cyan"))
    for line in list(shown.warnings):
        yield _line((line, "yellow"))


def _header(shown: Shown) -> Iterator[Text]:
    m = shown.manifest
    base = f"what {m.warm_up} made of {m.base}" if m.warm_up else m.base
    yield _line((plain(m.trainer.spec), "bold"), f"  from {plain(base)}")
    tasks = count(len(m.corpus.tasks), "task")
    parts = [f"{count(m.corpus.examples, 'step')} of {count(len(m.runs), 'run')} on {tasks}"]
    parts += [f"{ref.kind} {plain(ref.spec)}" for ref in (m.reward, m.sandbox) if ref]
    yield _line((f"{', '.join(parts)}, into {plain(str(shown.folder))}", "dim"))


def _bar(shown: Shown, steps: list[TrainProgress], width: int, signs: Glyphs) -> Text:
    """How far it is, and how long the rest may take."""
    total = next((s.total for s in reversed(steps) if s.total is not None), None)
    done = steps[-1].step if steps else 0
    of = f"/{total}" if total is not None else ""
    left = shown.pace.left_s()
    told = duration(shown.pace.elapsed_s)
    if left is not None and not shown.over:
        told += f", about {duration(left)} left"
    before, after = f"step {done}{of}  ", f"  {told}"
    if total is None:
        return _line((before, "bold"), (after, "dim"))
    room = max(4, min(48, width - len(before) - len(after)))
    filled = round(room * min(1.0, done / total)) if total else room
    bar = ((signs.bar * filled, "green"), (signs.rest * (room - filled), "dim"))
    return _line((before, "bold"), *bar, (after, "dim"))


def _curves(steps: list[TrainProgress], width: int, signs: Glyphs) -> Iterator[Text]:
    """A line for each figure: now, how it went, and how it began."""
    latest, first = steps[-LATEST:], steps[:LATEST]
    figures = steps[-1].figures
    names = [name for name in MAIN if name in figures]
    names += others(figures)[:_OWN_FIGURES]
    wide = max((len(plain(name)) for name in names), default=0)
    for name in names:
        now, then = value(name, _mean(latest, name)), value(name, _mean(first, name))
        curve = trend(_values(steps, name), max(0, min(40, width - wide - 32)), signs is PLAIN)
        line = _line((f"{plain(name):<{wide}}  ", "dim"), (f"{now:>8}", "bold"))
        if len(steps) > LATEST:
            line.append(f"  {curve}", "cyan").append(f"  from {then}", "dim")
        yield line


def costs(steps: list[TrainProgress]) -> Iterator[Text]:
    """Where the seconds go, and what was executed."""
    latest = steps[-LATEST:]
    found = [(word, _mean(latest, name)) for name, word in PHASES.items()]
    known = [f"{word} {duration(mean)}" for word, mean in found if mean is not None]
    if (whole := _mean(latest, "step_s")) is not None:
        known.append(f"in all {duration(whole)}")
    if known:
        yield _line(("a step takes  ", "dim"), ", ".join(known))
    sums = {name: _sum(steps, name) for name in ("executed", "cached", "failed")}
    if any(value is not None for value in sums.values()):
        yield _line(("actions  ", "dim"), ", ".join(_actions(sums)), *_flat(latest))


def _actions(sums: Mapping[str, float | None]) -> Iterator[str]:
    executed, cached = sums["executed"] or 0.0, sums["cached"] or 0.0
    yield f"{executed:.0f} executed"
    share = f" ({percent(cached / (executed + cached))})" if executed + cached else ""
    yield f"{cached:.0f} known already{share}"
    if sums["failed"]:
        yield f"{sums['failed']:.0f} failed in the sandbox"


def _flat(latest: list[TrainProgress]) -> Iterator[str | tuple[str, str]]:
    flat = _mean(latest, "flat_groups")
    if flat is not None:
        yield ("   flat groups  ", "dim")
        groups = _mean(latest, "groups")
        yield f"{flat:.1f}" + (f" of {groups:.0f}" if groups else "") + " a step"


def _values(steps: list[TrainProgress], name: str) -> list[float]:
    return [step.figures[name] for step in steps if name in step.figures]


def _mean(steps: list[TrainProgress], name: str) -> float | None:
    values = [v for v in _values(steps, name) if v == v]
    return sum(values) / len(values) if values else None


def _sum(steps: list[TrainProgress], name: str) -> float | None:
    values = [v for v in _values(steps, name) if v == v]
    return sum(values) if values else None


def _line(*parts: str | tuple[str, str]) -> Text:
    return Text.assemble(*parts, no_wrap=True, overflow="crop")
