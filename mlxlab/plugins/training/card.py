"""The model card: what a model was made of, by whom, and what it may be compared with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from mlxlab.core.errors import MlxError
from mlxlab.core.runs import RunFolder

CARD = "README.md"
_PACKAGES = ("mlxlab", "torch", "transformers", "trl", "peft")
_LISTED = 20


@dataclass(frozen=True)
class Facts:
    """What a model card tells.

    Args:
        trainer: the trainer's name.
        options: its config, as `model_dump` gives it.
        base: the spec that training began with.
        steps: optimizer steps.
        first: figures of the first step, by the names of TrainProgress.
        last: those of the last one.
        seconds: wall time of the training.
        tasks: specs of the tasks that were learned from.
        runs: the recorded runs.
        seed: of every choice.
        reward: the reward that was trained on; empty for a trainer that uses none.
        licence: of the base, as it states it.
        fingerprint: names the base's content.
        parameters: all weights, and the trained ones.
        notes: further sentences, one a line.
    """

    trainer: str
    options: Mapping[str, Any]
    steps: int
    base: str = ""
    first: Mapping[str, float] = field(default_factory=dict)
    last: Mapping[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    tasks: tuple[str, ...] = ()
    runs: tuple[Path, ...] = ()
    seed: int = 0
    reward: str = ""
    licence: str = ""
    fingerprint: str = ""
    parameters: tuple[int, int] = (0, 0)
    notes: tuple[str, ...] = ()


def write_card(folder: Path, facts: Facts) -> Path:
    """Write a folder's README.md; returns its path."""
    parts = [_front(facts), _made(facts), _figures(facts), _learned(facts), _use(facts)]
    path = folder / CARD
    path.write_text("\n".join(parts), encoding="utf-8")
    return path


def _front(facts: Facts) -> str:
    lines = ["---", "library_name: transformers", "pipeline_tag: text-generation"]
    lines += [f"license: {facts.licence}"] if facts.licence else []
    lines += ["tags:", "- mlxlab", f"- {facts.trainer}", "---", ""]
    return "\n".join(lines)


def _made(facts: Facts) -> str:
    whole, trained = facts.parameters
    content = f" (content {facts.fingerprint})" if facts.fingerprint else ""
    given = " ".join(f"{k}={v}" for k, v in facts.options.items() if v is not None)
    licence = facts.licence or "unknown: the base states none"
    rows = {
        "Base": f"`{facts.base}`{content}",
        "Trainer": f"`{facts.trainer}`",
        "Options": f"`{given}`",
        "Weights": f"{whole:,}, of which {trained:,} were trained",
        "Optimizer steps": str(facts.steps),
        "Wall time": f"{facts.seconds:.0f} s",
        "Seed": str(facts.seed),
        "Reward": f"`{facts.reward}`" if facts.reward else "none: it was shown what to answer",
        "Licence": licence,
        "Versions": _versions(),
    }
    title = f"# A policy trained with {facts.trainer}\n\n"
    told = "An agent for machine-learning engineering, trained by mlxlab on recorded steps.\n\n"
    return title + told + _table(("What", "How"), rows.items())


def _figures(facts: Facts) -> str:
    names = [name for name in facts.last if name in facts.first]
    if not names:
        return ""
    rows = [(name, f"{facts.first[name]:.4g}", f"{facts.last[name]:.4g}") for name in names]
    return "## Figures\n\n" + _table(("Figure", "First step", "Last step"), rows)


def _learned(facts: Facts) -> str:
    runs = [path.name for path in facts.runs]
    parts = [f"## Learned from\n\nTasks: {_some(facts.tasks)}\n\nRuns: {_some(runs)}\n"]
    parts += [f"{note}\n" for note in facts.notes]
    return "\n".join([*parts, f"## Attestation\n\n{_attestation(facts.runs)}\n"])


def _attestation(runs: Iterable[Path]) -> str:
    """Who has seen private scores, as the runs' own records state it."""
    exposed, unknown = [], []
    for path in runs:
        try:
            attested = RunFolder(path).manifest().attestation
        except MlxError:
            unknown.append(path.name)
            continue
        if attested.private_scores_shown or attested.answers_reachable:
            exposed.append(path.name)
    told = "The training read no private score: it sees public scores and rewards alone."
    if exposed:
        told += (
            " In these recorded runs private scores were shown to the agent, or answers were "
            f"within its reach: {_some(exposed)}."
        )
    if unknown:
        told += f" Of these runs nothing is known any longer: {_some(unknown)}."
    return told


def _use(facts: Facts) -> str:
    task = f" --task '{facts.tasks[0]}'" if facts.tasks else ""
    return f"## Use\n\n    mlx run --policy local:FOLDER{task}\n\nwhere FOLDER is this one.\n"


def _versions() -> str:
    found = []
    for name in _PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return ", ".join(found)


def _some(names: Iterable[str]) -> str:
    listed = list(names)
    more = f" and {len(listed) - _LISTED} more" if len(listed) > _LISTED else ""
    return ", ".join(f"`{name}`" for name in listed[:_LISTED]) + more if listed else "none"


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    cells = [[*head]]
    cells += [["---"] * len(cells[0]), *([*row] for row in rows)]
    return "".join("| " + " | ".join(c.replace("|", "\\|") for c in row) + " |\n" for row in cells)
