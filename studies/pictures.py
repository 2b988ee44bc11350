"""Pictures of a study: bars beside the lines, curves of training, ablations; PNGs for the docs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate, chain
from pathlib import Path
from statistics import mean
from typing import Any

from mlxlab.api.pipeline.report.drawing import colours, figure, line_style, medians, smooth, top
from mlxlab.api.training import TrainFolder
from mlxlab.core.trainer import TrainProgress

BEST = "best after 5 steps"
PANELS = ("reward", "improvement", BEST)
LINES = ("random valid", "random search", "best constant", "free probes + random", "ceiling")
ABLATIONS = {
    "fine-tuning": ("sft", "sft-plain"),
    "the reward's parts": ("grpo", "binary", "no-format"),
    "the corner case": ("tight", "tight-no-corner"),
    "equal transitions": ("grpo", "episodes-equal-transitions"),
    "equal time": ("grpo-equal-time", "episodes-equal-time"),
}
"""What each ablation compares, the step-wise arm first."""
OURS = ("sft", "grpo")
EPISODES = ("equal transitions", "equal time")
CURVES = {
    "reward": "reward of sampled actions",
    "improvement": "improvement rate of sampled actions",
    "unique": "distinct actions of a step, share",
    "kl": "KL to the start, running median",
}
PALE = "#b9c4d0"
"""An arm of an ablation, beside the study's own in their colours."""
WIDTH = 9.0
"""Inches: at 130 dots each about twice a page's column, so that labels stay readable in it."""
_WINDOW = 10

Steps = Sequence[TrainProgress]
Arms = Mapping[str, Sequence[Steps]]
Axis = Callable[[Steps], list[float]]


PICTURES = ("means.png", "curves.png", "episodes.png", "ablations.png")


def draw(results: Mapping[str, Any], folders: Mapping[int, Path], out: Path) -> None:
    """Write every picture that there are figures for."""
    out.mkdir(parents=True, exist_ok=True)
    policies = [arm for arm, kind in results["kinds"].items() if kind == "policy"]
    own = [arm for arm in policies if not _ablated(arm)]
    chosen = colours(own)
    _means(out / "means.png", results["means"], own, chosen)
    steps = {arm: _recorded(arm, folders) for arm in policies}
    trained = {arm: found for arm, found in steps.items() if found and "sft" not in arm}
    _curves(out / "curves.png", {arm: trained[arm] for arm in own if arm in trained}, chosen)
    pairs = [ABLATIONS[name] for name in EPISODES]
    if all(arm in trained for pair in pairs for arm in pair):
        _episodes(out / "episodes.png", trained, pairs)
    if any(_ablated(arm) for arm in policies):
        _ablations(out / "ablations.png", results["means"], chosen)
    for name in PICTURES:
        if (out / name).is_file():
            _shrink(out / name)


def _ablated(arm: str) -> bool:
    """Whether an arm is there for an ablation alone."""
    return arm not in OURS and any(arm in names for names in ABLATIONS.values())


def _recorded(arm: str, folders: Mapping[int, Path]) -> list[Steps]:
    """The steps of the seeds that have taken some."""
    found = [TrainFolder(folder / arm).progress() for folder in folders.values()]
    return [steps for steps in found if steps]


def _means(
    path: Path, means: Mapping[str, Any], policies: Sequence[str], chosen: Mapping[str, str]
) -> None:
    with figure(path, 2, 3, (WIDTH, 6.4)) as (made, axes):
        for row, part in zip(axes, ("held-in", "held-out"), strict=True):
            for axis, name in zip(row, PANELS, strict=True):
                _bars(axis, means, policies, chosen, f"{name}, {part}")
        _legend(made, axes.flat, 3)


def _bars(
    axis: Any, means: Mapping[str, Any], policies: Sequence[str], chosen: Mapping[str, str],
    measure: str,
) -> None:  # fmt: skip
    for place, arm in enumerate(policies):
        if (found := means[arm].get(measure)) is not None:
            axis.bar(place, found["mean"], width=0.65, color=chosen[arm], yerr=_error(found),
                     ecolor="#1c2330", capsize=3)  # fmt: skip
    for line in LINES:
        if (found := means.get(line, {}).get(measure)) is not None:
            colour, dashes = line_style(line)
            axis.axhline(found["mean"], color=colour, linestyle=dashes, linewidth=1.3, label=line)
    axis.set_xticks(range(len(policies)), policies, fontsize=9, rotation=35, ha="right")
    axis.set_title(measure, fontsize=10, loc="left")


def _error(found: Mapping[str, Any]) -> list[list[float]] | None:
    """An interval as matplotlib takes it; None where one value has none."""
    if found["low"] is None:
        return None
    below, above = found["mean"] - found["low"], found["high"] - found["mean"]
    return [[max(0.0, below)], [max(0.0, above)]]


def _curves(path: Path, arms: Arms, chosen: Mapping[str, str]) -> None:
    """Four figures by optimizer step."""
    with figure(path, 2, 2, (WIDTH, 6.4)) as (made, axes):
        for panel, (name, title) in zip(axes.flat, CURVES.items(), strict=True):
            shown = [
                value
                for arm, seeds in arms.items()
                for value in _curve(panel, seeds, name, _by_step, (arm, chosen[arm]))
            ]
            if name == "kl" and shown:
                panel.set_ylim(0, top(shown))
            panel.set_title(title, fontsize=10, loc="left")
            panel.set_xlabel("optimizer step", fontsize=9)
        _legend(made, axes.flat, 5)


def _episodes(path: Path, arms: Arms, pairs: Sequence[tuple[str, ...]]) -> None:
    """Step-wise against episode-wise training: a column by what was acted, one by the seconds."""
    reads = (_by_transitions, "transitions (actions taken)"), (_by_seconds, "seconds of its steps")
    with figure(path, 2, 2, (WIDTH, 6.4)) as (made, axes):
        for row, name in zip(axes, ("reward", "improvement"), strict=True):
            for panel, pair, (read, axis) in zip(row, pairs, reads, strict=True):
                colour = colours(["sft", *pair])
                for arm in pair:
                    _curve(panel, arms[arm], name, read, (arm, colour[arm]))
                panel.set_title(CURVES[name], fontsize=10, loc="left")
                panel.set_xlabel(axis, fontsize=9)
        _legend(made, axes.flat, 4)


def _curve(
    panel: Any, seeds: Sequence[Steps], name: str, read: Axis, look: tuple[str, str]
) -> list[float]:
    """The mean over seeds, with a band from the lowest seed to the highest; returns the means."""
    label, colour = look
    told = [[step for step in steps if name in step.figures] for steps in seeds]
    columns = list(
        zip(*([*zip(read(s), _values(s, name), strict=True)] for s in told), strict=False)
    )
    if not columns:
        return []
    x = [mean(point[0] for point in points) for points in columns]
    y = [[point[1] for point in points] for points in columns]
    means = [mean(values) for values in y]
    if len(seeds) > 1:
        panel.fill_between(x, [*map(min, y)], [*map(max, y)], color=colour, alpha=0.18, linewidth=0)
    panel.plot(x, means, color=colour, linewidth=1.8, label=label)
    return means


def _values(steps: Steps, name: str) -> list[float]:
    values = [step.figures[name] for step in steps]
    if name == "kl":  # few rows are measured, and a single unlikely token makes a spike
        return medians(values, _WINDOW)
    if name == "unique":
        values = [
            v / max(1.0, s.figures.get("actions", v)) for v, s in zip(values, steps, strict=True)
        ]
    return smooth(values, _WINDOW)


def _by_step(steps: Steps) -> list[float]:
    return [float(step.step) for step in steps]


def _by_transitions(steps: Steps) -> list[float]:
    each = [step.figures.get("actions", 0.0) for step in steps]
    return [s.figures.get("transitions", n) for s, n in zip(steps, accumulate(each), strict=True)]


def _by_seconds(steps: Steps) -> list[float]:
    """Of an arm with a cache of its own: elsewhere they depend on what other arms have done."""
    return [*accumulate(step.figures["step_s"] for step in steps)]


def _ablations(path: Path, means: Mapping[str, Any], chosen: Mapping[str, str]) -> None:
    """Lying bars, one block for each ablation."""
    blocks = [[arm for arm in names if arm in means] for names in ABLATIONS.values()]
    shown = [(arm, n) for n, names in enumerate(blocks) if len(names) > 1 for arm in names]
    places = [place + 0.7 * block for place, (_, block) in enumerate(shown)]
    measures = ("improvement, held-in", "improvement, held-out", f"{BEST}, held-out")
    with figure(path, 1, 3, (WIDTH, 1.2 + 0.34 * max(4, len(shown)))) as (_, axes):
        for panel, measure in zip(axes[0], measures, strict=True):
            for place, (arm, _block) in zip(places, shown, strict=True):
                if (found := means[arm].get(measure)) is not None:
                    panel.barh(place, found["mean"], height=0.7, color=chosen.get(arm, PALE),
                               xerr=_error(found), ecolor="#1c2330", capsize=3)  # fmt: skip
            panel.set_yticks(places, [arm for arm, _ in shown] if panel is axes[0][0] else [])
            panel.invert_yaxis()
            panel.grid(axis="y", visible=False)
            panel.grid(axis="x", color="#e4e8ee", linewidth=0.8)
            panel.set_title(measure, fontsize=10, loc="left")


def _legend(made: Any, axes: Any, columns: int) -> None:
    """One legend below all panels."""
    pairs = chain.from_iterable(
        zip(*reversed(axis.get_legend_handles_labels()), strict=True) for axis in axes
    )
    if found := dict(pairs):
        made.legend(found.values(), found.keys(), loc="outside lower center", ncols=columns,
                    frameon=False, fontsize=9)  # fmt: skip


def _shrink(path: Path) -> None:
    """A picture in few colours, which take a quarter of the room."""
    from PIL import Image

    with Image.open(path) as found:
        few = found.convert("RGB").quantize(96)
    few.save(path, optimize=True)
