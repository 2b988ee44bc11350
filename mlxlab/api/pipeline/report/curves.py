"""Pictures of training: figures by optimizer step, and where the seconds went."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mlxlab.api.evaluating import HELD_IN, Evaluation
from mlxlab.api.pipeline.report import beside
from mlxlab.api.pipeline.report.drawing import colours, figure, line_style, medians, smooth, top
from mlxlab.api.pipeline.report.material import Arm
from mlxlab.api.pipeline.training import totals

PANELS = {
    "reward": "reward",
    "improvement": "improvement rate",
    "valid": "valid rate",
    "unique": "distinct actions, share",
    "entropy": "entropy (nats a token)",
    "kl": "KL to the start, running median",
}
_SHARES = ("improvement", "valid", "unique")
PHASES = {"generate_s": "generating", "execute_s": "executing", "update_s": "updating"}


def training_curves(path: Path, arms: Sequence[Arm], evaluation: Evaluation | None) -> None:
    """Six figures by optimizer step, each arm in its colour, with lines that are comparable."""
    chosen = colours([arm.name for arm in arms])
    with figure(path, 2, 3, (12, 6.4)) as (made, axes):
        for axis, (name, title) in zip(axes.flat, PANELS.items(), strict=True):
            for arm in arms:
                _curve(axis, arm, name, chosen[arm.name])
            if evaluation is not None and beside.comparable(arms, evaluation, name):
                _lines(axis, evaluation, name)
            axis.set_title(title, fontsize=11, loc="left")
            axis.set_xlabel("optimizer step", fontsize=9)
            axis.locator_params(axis="x", integer=True)
            if name in _SHARES:
                axis.set_ylim(-0.02, 1.04)
            if name == "kl" and (measured := [v for arm in arms for v in arm.series(name)[1]]):
                axis.set_ylim(0, top(measured))
        handles, labels = axes[0][0].get_legend_handles_labels()
        if handles:
            made.legend(handles, labels, loc="outside lower center", ncols=6, frameon=False,
                        fontsize=9)  # fmt: skip


def _curve(axis: Any, arm: Arm, name: str, colour: str) -> None:
    steps, values = arm.series(name)
    if name == "unique":
        shares = dict(zip(*arm.series("actions"), strict=True))
        values = [v / max(1.0, shares.get(s, v)) for s, v in zip(steps, values, strict=True)]
    if not steps:
        return
    axis.plot(steps, values, color=colour, alpha=0.25, linewidth=0.9)
    # The KL is measured on few actions, where a single unlikely token makes a spike.
    shown = medians(values, 10) if name == "kl" else smooth(values, 10)
    axis.plot(steps, shown, color=colour, linewidth=1.9, label=arm.name)


def _lines(axis: Any, evaluation: Evaluation, name: str) -> None:
    for line in beside.LINES:
        subject = evaluation.subject(line)
        singles = subject.singles.get(HELD_IN) if subject is not None else None
        if singles is not None and name in singles.figures:
            colour, dashes = line_style(line)
            axis.axhline(singles.figures[name].mean, color=colour, linestyle=dashes,
                         linewidth=1.2, label=f"{line} (held-in)")  # fmt: skip


def seconds(path: Path, arms: Sequence[Arm], stages: dict[str, float]) -> None:
    """Seconds by phase of each arm, and of each stage."""
    with figure(path, 1, 2, (12, 3.8)) as (_, axes):
        left, right = axes[0]
        _phases(left, arms)
        names = list(reversed(stages))
        right.barh(names, [stages[name] / 60 for name in names], color="#9fb3c8", height=0.6)
        for place, name in enumerate(names):
            right.text(stages[name] / 60, place, f" {stages[name]:.0f} s", va="center", fontsize=8)
        right.set_xlabel("minutes", fontsize=9)
        right.set_title("each stage", fontsize=11, loc="left")
        right.margins(x=0.15)
        right.grid(axis="y", visible=False)


def _phases(axis: Any, arms: Sequence[Arm]) -> None:
    """Mean seconds of an optimizer step, one phase behind the other."""
    names = [arm.name for arm in arms]
    bottom = [0.0] * len(arms)
    for (key, label), colour in zip(PHASES.items(), ("#3b7dd8", "#e08e29", "#2e9f5b"), strict=True):
        means = [totals([s.figures for s in arm.steps]).get(key, 0.0) / max(1, len(arm.steps))
                 for arm in arms]  # fmt: skip
        axis.barh(names, means, left=bottom, color=colour, label=label, height=0.55)
        bottom = [low + mean for low, mean in zip(bottom, means, strict=True)]
    axis.set_xlabel("seconds, on average", fontsize=9)
    axis.set_title("each optimizer step, by phase", fontsize=11, loc="left", pad=24)
    axis.legend(frameon=False, fontsize=9, ncols=3, loc="lower left", bbox_to_anchor=(0, 1.0))
    axis.invert_yaxis()
    axis.grid(axis="y", visible=False)
    axis.set_ylim(max(1, len(arms)) - 0.3, -0.7)
