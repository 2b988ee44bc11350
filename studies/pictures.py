"""Pictures of a study: policies beside the lines, and rewards by transition and by second."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

from mlxlab.api.pipeline.report.drawing import colours, figure, line_style, smooth
from mlxlab.api.training import TrainFolder
from mlxlab.core.trainer import TrainProgress

PANELS = ("reward", "improvement", "best after 5 steps")
LINES = ("random valid", "random search", "best constant", "free probes + random", "ceiling")
Points = tuple[list[float], list[float]]


def draw(results: Mapping[str, Any], folders: Mapping[int, Path], out: Path) -> None:
    """Write every picture."""
    policies = [arm for arm, kind in results["kinds"].items() if kind == "policy"]
    chosen = colours(policies)
    _means(out / "means.png", results["means"], policies, chosen)
    steps = {arm: [TrainFolder(folder / arm).progress() for folder in folders.values()]
             for arm in policies if arm != "base" and not arm.startswith("sft")}  # fmt: skip
    kept = {arm: found for arm, found in steps.items() if all(found)}
    for axis, name, read in (
        ("transitions", "by_transitions.png", _by_transitions),
        ("seconds of training", "by_seconds.png", _by_seconds),
    ):
        _curves(out / name, axis, kept, chosen, read)


def _means(
    path: Path, means: Mapping[str, Any], policies: Sequence[str], chosen: Mapping[str, str]
) -> None:
    with figure(path, 2, 3, (14, 8)) as (made, axes):
        for row, part in zip(axes, ("held-in", "held-out"), strict=True):
            for axis, name in zip(row, PANELS, strict=True):
                _bars(axis, means, policies, chosen, f"{name}, {part}")
        handles, labels = axes[0][2].get_legend_handles_labels()
        found = dict(zip(labels, handles, strict=True))
        others = axes[0][0].get_legend_handles_labels()
        found |= dict(zip(others[1], others[0], strict=True))
        made.legend(found.values(), found.keys(), loc="outside lower center", ncols=5,
                    frameon=False, fontsize=9)  # fmt: skip


def _bars(
    axis: Any, means: Mapping[str, Any], policies: Sequence[str], chosen: Mapping[str, str],
    measure: str,
) -> None:  # fmt: skip
    for place, arm in enumerate(policies):
        if (found := means[arm].get(measure)) is None:
            continue
        axis.bar(place, found["mean"], width=0.6, color=chosen[arm])
        if found["low"] is not None:
            error = [[max(0.0, found["mean"] - found["low"])],
                     [max(0.0, found["high"] - found["mean"])]]  # fmt: skip
            axis.errorbar(place, found["mean"], yerr=error, color="#1c2330", capsize=4)
    for line in LINES:
        if (found := means.get(line, {}).get(measure)) is not None:
            colour, dashes = line_style(line)
            axis.axhline(found["mean"], color=colour, linestyle=dashes, linewidth=1.3, label=line)
    axis.set_xticks(range(len(policies)), policies, fontsize=8, rotation=25, ha="right")
    axis.set_title(measure, fontsize=11, loc="left")


def _by_transitions(steps: Sequence[TrainProgress], name: str) -> Points:
    found = [step for step in steps if name in step.figures]
    taken = list(accumulate(step.figures.get("actions", 0.0) for step in found))
    return taken, smooth([step.figures[name] for step in found], 10)


def _by_seconds(steps: Sequence[TrainProgress], name: str) -> Points:
    found = [step for step in steps if name in step.figures]
    passed = list(accumulate(step.figures.get("step_s", 0.0) for step in found))
    return passed, smooth([step.figures[name] for step in found], 10)


def _curves(
    path: Path,
    axis: str,
    arms: Mapping[str, list[list[TrainProgress]]],
    chosen: Mapping[str, str],
    read: Callable[[Sequence[TrainProgress], str], Points],
) -> None:
    """The figures of training, the mean over seeds thick and each seed thin."""
    with figure(path, 1, 2, (13, 5)) as (made, axes):
        for panel, name in zip(axes[0], ("reward", "improvement"), strict=True):
            for arm, seeds in arms.items():
                ends: dict[int, list[tuple[float, float]]] = defaultdict(list)
                for steps in seeds:
                    x, y = read(steps, name)
                    panel.plot(x, y, color=chosen[arm], alpha=0.25, linewidth=0.9)
                    for place, point in enumerate(zip(x, y, strict=True)):
                        ends[place].append(point)
                whole = [points for points in ends.values() if len(points) == len(seeds)]
                panel.plot(
                    [sum(p[0] for p in points) / len(points) for points in whole],
                    [sum(p[1] for p in points) / len(points) for points in whole],
                    color=chosen[arm], linewidth=2.0, label=arm,
                )  # fmt: skip
            panel.set_title(f"{name} of sampled actions", fontsize=11, loc="left")
            panel.set_xlabel(axis, fontsize=9)
        handles, labels = axes[0][0].get_legend_handles_labels()
        if handles:
            made.legend(handles, labels, loc="outside lower center", ncols=5, frameon=False,
                        fontsize=9)  # fmt: skip
