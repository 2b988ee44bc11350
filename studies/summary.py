"""What the seeds of a study come to: means over tasks and seeds, differences, a table, pictures."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pictures import draw

from mlxlab.api.evaluating import FILE, HELD_IN, HELD_OUT, Evaluation
from mlxlab.api.pipeline.report.blocks import Heading, Paragraph, Table, markdown
from mlxlab.core.errors import RecordError
from mlxlab.scores.bootstrap import interval
from mlxlab.scores.paired import sign_flip

Values = dict[str, dict[str, list[float]]]
"""By measure, then by task: one value for each seed."""
FIGURES = ("reward", "improvement", "valid", "unique", "v2")
BEST = "best after 5 steps"
MEASURES = [f"{figure}, {part}" for part in (HELD_IN, HELD_OUT) for figure in (*FIGURES, BEST)]
AGAINST = (
    "grpo",
    "grpo-equal-time",
    "tight",
    "sft",
    "base",
    "random search",
    "best constant",
    "free probes + random",
)
"""What every trained policy is compared with."""


def summarize(folders: Mapping[int, Path], out: Path, pictures: Path) -> None:
    """Write results.json, results.md and the pictures of the seeds that were evaluated."""
    seeds = {seed: found for seed, folder in folders.items() if (found := _read(folder))}
    if not seeds:
        raise SystemExit("study: no seed was evaluated yet.")
    arms = _arms(seeds)
    results = {
        "seeds": sorted(seeds),
        "kinds": _kinds(seeds),
        "means": {arm: dict(_means(values)) for arm, values in arms.items()},
        "differences": list(_differences(arms, _kinds(seeds))),
    }
    out.mkdir(parents=True, exist_ok=True)
    (out / "results.json").write_text(json.dumps(results, indent=1) + "\n")
    (out / "results.md").write_text(_page(results))
    draw(results, {seed: folders[seed] for seed in seeds}, pictures)
    print(_page(results))


def _read(folder: Path) -> Evaluation | None:
    try:
        return Evaluation.model_validate_json((folder / "evaluate" / FILE).read_bytes())
    except (OSError, RecordError):
        return None


def _kinds(seeds: Mapping[int, Evaluation]) -> dict[str, str]:
    return {s.name: s.kind for found in seeds.values() for s in found.subjects}


def _arms(seeds: Mapping[int, Evaluation]) -> dict[str, Values]:
    """Every policy's and line's values; a task's episodes of one seed are one value."""
    arms: dict[str, Values] = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    for _, found in sorted(seeds.items()):
        for subject in found.subjects:
            for part, singles in subject.singles.items():
                for figure in FIGURES:
                    for task, value in singles.by_task.get(figure, {}).items():
                        arms[subject.name][f"{figure}, {part}"][task].append(value)
            for part, loops in subject.loops.items():
                for task, value in loops.by_task.items():
                    arms[subject.name][f"{BEST}, {part}"][task].append(value)
    return arms


def _means(values: Values) -> Iterator[tuple[str, dict[str, Any]]]:
    for measure in MEASURES:
        if groups := values.get(measure):
            found = interval(groups.values())
            yield measure, {**found._asdict(), "tasks": len(groups)}


def _differences(arms: Mapping[str, Values], kinds: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Each trained policy less what it is compared with, on the tasks and seeds of both."""
    trained = [arm for arm, kind in kinds.items() if kind == "policy" and arm != "base"]
    for arm in trained:
        for other in AGAINST:
            if other == arm or other not in arms:
                continue
            for measure in MEASURES:
                groups = _paired(arms[arm].get(measure, {}), arms[other].get(measure, {}))
                if not groups:
                    continue
                found = interval(groups)
                yield {
                    "arm": arm, "against": other, "measure": measure, **found._asdict(),
                    "p": sign_flip(groups).p,
                }  # fmt: skip


def _paired(
    first: Mapping[str, list[float]], second: Mapping[str, list[float]]
) -> list[list[float]]:
    """By task the differences of equal seeds; tasks that lack a seed are left out."""
    return [
        [a - b for a, b in zip(values, second[task], strict=True)]
        for task, values in first.items()
        if len(values) == len(second.get(task, ()))
    ]


def _page(results: Mapping[str, Any]) -> str:
    kinds, means = results["kinds"], results["means"]
    blocks: list[Any] = [Heading("Results", 1), Paragraph(f"Seeds: {results['seeds']}.")]
    for part in (HELD_IN, HELD_OUT):
        names = [measure for measure in MEASURES if measure.endswith(part)]
        rows = [
            [arm if kinds[arm] == "policy" else f"{arm} (line)",
             *(_told(means[arm].get(name)) for name in names)]
            for arm in means
        ]  # fmt: skip
        blocks.append(Table((part, *(name.partition(",")[0] for name in names)), rows))
    rows = [
        [f"{each['arm']} less {each['against']}: {each['measure']}", _told(each),
         f"{each['p']:.4f}"]
        for each in results["differences"]
        if each["measure"].partition(",")[0] in ("reward", "improvement", BEST)
    ]  # fmt: skip
    blocks.append(Table(("difference", "mean", "p"), rows, "Paired by task and seed."))
    return markdown(blocks)


def _told(found: Mapping[str, Any] | None) -> str:
    if found is None:
        return "-"
    if found["low"] is None:
        return f"{found['mean']:.3f}"
    return f"{found['mean']:.3f} [{found['low']:.3f}, {found['high']:.3f}]"
