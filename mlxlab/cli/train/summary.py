"""The closing summary of a training, for people."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from rich.text import Text

from mlxlab.api.training import Training, TrainManifest
from mlxlab.api.training.lessons import lessons, nothing_learned
from mlxlab.cli.console import Console
from mlxlab.cli.summary import Row, print_rows
from mlxlab.cli.text import count, duration, plain
from mlxlab.cli.train.figures import MAIN, others, value
from mlxlab.core.errors import RecordError
from mlxlab.core.runs import RunFolder
from mlxlab.core.spec import Spec


def print_summary(training: Training) -> None:
    """Print what came of a training on stdout."""
    Console(highlight=False).print(Text())
    print_rows([*_rows(training)])


def _rows(training: Training) -> Iterator[Row]:
    m = training.manifest
    yield "trained", f"{plain(m.trainer.spec)}, {_extent(m)}", "bold green"
    yield "from", _base(training), ""
    corpus = m.corpus
    tasks = count(len(corpus.tasks), "task")
    source = f"{count(corpus.examples, 'step')} of {count(len(m.runs), 'run')} on {tasks}"
    yield "learned from", source, ""
    for number, line in enumerate(corpus.skipped):
        yield "" if number else "left out", line, "yellow"
    yield from _figures(m)
    steps = training.steps
    noted = [*lessons(steps), *(w for w in m.warnings if w not in corpus.skipped)]
    for number, line in enumerate(noted[:5]):
        yield "" if number else "noted", line, "yellow"
    if len(noted) > 5:
        yield "", f"and {count(len(noted) - 5, 'line')} more in train.json", "yellow"
    yield "folder", str(training.folder), ""
    if not nothing_learned(steps):
        yield "use it", _use(m, training), "cyan"


def _extent(m: TrainManifest) -> str:
    sessions = f" in {m.sessions} sessions" if m.sessions > 1 else ""
    return f"{count(m.figures.steps, 'step')}, {duration(m.wall_s)}{sessions}"


def _base(training: Training) -> str:
    m, first = training.manifest, training.warm_up
    if first is None:
        return plain(m.base)
    told = f"{m.base}, taught by {first.manifest.trainer.spec} first: {_extent(first.manifest)}"
    figures = first.manifest.figures
    if "loss" in figures.last:
        then, now = (value("loss", part.get("loss")) for part in (figures.first, figures.last))
        told += f", loss {then} to {now}"
    return plain(told)


def _figures(m: TrainManifest) -> Iterator[Row]:
    """First against last, for what both ends know."""
    first, last, window = m.figures.first, m.figures.last, m.figures.window
    names = [name for name in (*MAIN, *others(last)) if name in first and name in last]
    for number, name in enumerate(names):
        means = f"  (means of {count(window, 'step')} each)" if window > 1 and not number else ""
        same = m.figures.steps == 1
        shown = value(name, last[name])
        yield plain(name), shown if same else f"{value(name, first[name])} -> {shown}{means}", ""


def _played(m: TrainManifest) -> tuple[str, str]:
    """A task and a scaffold that it has learned from together, where a run still tells."""
    for run in sorted(m.runs, key=lambda run: -run.steps):
        with suppress(RecordError):
            made = RunFolder(Path(run.path)).manifest().components
            if "task" in made and "scaffold" in made:
                return made["task"].spec, made["scaffold"].spec
    return next(iter(m.corpus.tasks), "flights"), next(iter(m.corpus.scaffolds), "aide")


def _use(m: TrainManifest, training: Training) -> str:
    task, scaffold = _played(m)
    policy, here = Spec.parse(training.policy), f"{Path.cwd()}/"
    if policy.argument is not None:
        policy = policy.model_copy(update={"argument": policy.argument.removeprefix(here)})
    words = ["mlx", "run", "--task", task, "--scaffold", scaffold, "--policy", str(policy)]
    return " ".join(shlex.quote(word) for word in words)
