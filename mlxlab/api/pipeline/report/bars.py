"""Pictures of the evaluation: single actions as bars, episodes as curves."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mlxlab.api.evaluating import HELD_IN, HELD_OUT, Evaluation, Subject
from mlxlab.api.pipeline.report.drawing import colours, figure, line_style

PARTS = {HELD_IN: "held-in", HELD_OUT: "held-out"}
FIGURES = {"reward": "reward", "improvement": "improvement rate"}
_LINES = ("random valid", "best constant", "ceiling")


def single_actions(path: Path, evaluation: Evaluation) -> None:
    """Mean reward and improvement rate of each policy, with intervals and the lines."""
    policies = _policies(evaluation, single=True)
    chosen = colours([s.name for s in policies if s.kind == "policy"])
    with figure(path, 2, 2, (12, 7)) as (made, axes):
        for row, (name, title) in zip(axes, FIGURES.items(), strict=True):
            for axis, (part, word) in zip(row, PARTS.items(), strict=True):
                _bars(axis, policies, part, name, chosen)
                _across(axis, evaluation, part, name)
                axis.set_title(f"{title}, {word} states", fontsize=11, loc="left")
        handles, labels = axes[0][0].get_legend_handles_labels()
        made.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False, fontsize=9)


def _policies(evaluation: Evaluation, single: bool) -> list[Subject]:
    found = [subject for subject in evaluation.subjects if subject.kind == "policy"]
    if single and (expert := evaluation.subject("expert")) is not None:
        found.append(expert)
    return found


def _bars(
    axis: Any, policies: Sequence[Subject], part: str, name: str, chosen: dict[str, str]
) -> None:
    for place, subject in enumerate(policies):
        singles = subject.singles.get(part)
        mean = singles.figures.get(name) if singles is not None else None
        if mean is None:
            continue
        axis.bar(place, mean.mean, width=0.6, color=chosen.get(subject.name, "#2f7f6f"))
        top = mean.mean
        if mean.low is not None and mean.high is not None:
            error = [[max(0.0, mean.mean - mean.low)], [max(0.0, mean.high - mean.mean)]]
            axis.errorbar(place, mean.mean, yerr=error, color="#1c2330", capsize=4, linewidth=1.2)
            top = max(top, mean.high)
        axis.annotate(f"{mean.mean:.2f}", (place, top), xytext=(0, 3), ha="center", fontsize=8,
                      textcoords="offset points")  # fmt: skip
    axis.set_xticks(range(len(policies)), [s.name for s in policies], fontsize=9)
    if any(len(s.name) > 9 for s in policies) or len(policies) > 6:
        axis.tick_params(axis="x", rotation=20)
    axis.margins(y=0.12)


def _across(axis: Any, evaluation: Evaluation, part: str, name: str) -> None:
    for line in _LINES:
        subject = evaluation.subject(line)
        singles = subject.singles.get(part) if subject is not None else None
        if singles is not None and name in singles.figures:
            colour, dashes = line_style(line)
            value = singles.figures[name].mean
            axis.axhline(value, color=colour, linestyle=dashes, linewidth=1.3, label=line)


def closed_loop(path: Path, evaluation: Evaluation) -> None:
    """The best score after each step of an episode, policies and lines."""
    chosen = colours([s.name for s in evaluation.subjects if s.kind == "policy"])
    with figure(path, 1, 2, (12, 5.2)) as (made, axes):
        for axis, (part, word) in zip(axes[0], PARTS.items(), strict=True):
            for subject in evaluation.subjects:
                _best_so_far(axis, subject, part, chosen)
            axis.set_title(f"best score so far, {word} tasks", fontsize=11, loc="left")
            axis.set_xlabel("steps", fontsize=9)
        axes[0][0].set_ylabel(evaluation.scale.replace("; ", "\n"), fontsize=9)
        handles, labels = axes[0][1].get_legend_handles_labels()
        if not handles:
            handles, labels = axes[0][0].get_legend_handles_labels()
        made.legend(handles, labels, loc="outside lower center", ncols=5, frameon=False, fontsize=9)


def _best_so_far(axis: Any, subject: Subject, part: str, chosen: dict[str, str]) -> None:
    loops = subject.loops.get(part)
    if loops is None or not loops.curve:
        return
    steps = list(range(1, len(loops.curve) + 1))
    means = [mean.mean for mean in loops.curve]
    if subject.kind == "reference":
        colour, dashes = line_style(subject.name)
        axis.plot(steps, means, color=colour, linestyle=dashes, linewidth=1.4, label=subject.name)
        return
    colour = chosen[subject.name]
    axis.plot(steps, means, color=colour, linewidth=2.2, marker="o", markersize=4,
              label=subject.name)  # fmt: skip
    last = loops.curve[-1]
    if last.low is not None and last.high is not None:
        lows = [mean.low if mean.low is not None else mean.mean for mean in loops.curve]
        highs = [mean.high if mean.high is not None else mean.mean for mean in loops.curve]
        axis.fill_between(steps, lows, highs, color=colour, alpha=0.08, linewidth=0)
    axis.set_xticks(steps)
