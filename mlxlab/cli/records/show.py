"""`mlx runs show`: a run's manifest, its tree and its steps."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from rich.text import Text

from mlxlab.api import RunFolder, RunManifest
from mlxlab.cli.console import Console
from mlxlab.cli.records.rows import answers, rows, schema, total
from mlxlab.cli.result import Result
from mlxlab.cli.summary import print_rows, score_rows, spent_rows, warnings
from mlxlab.cli.table import Column, print_json, print_table
from mlxlab.cli.text import count, duration, money, plain, score
from mlxlab.cli.view.items import recorded
from mlxlab.cli.view.layout import rows as layout
from mlxlab.cli.view.tree import Moment, draw, glyphs
from mlxlab.core.actions import named
from mlxlab.core.errors import UsageError
from mlxlab.core.records import Completion, Step
from mlxlab.core.spellings import by_spec

_BRIEF = (
    "step parent operator status public_score self_score private_score action_type duration_s "
    "calls attempts prompt_tokens completion_tokens cost_usd latency_s message state_dropped"
)
_REASONS = 4


def show_run(folder: RunFolder, private: bool, as_json: bool) -> int:
    """Print a whole run."""
    manifest = folder.manifest()
    if as_json:
        print_json(_object(folder, manifest, private))
        return 0
    result = Result.of(folder.path, private)
    steps = folder.steps()
    print_rows([*_made_of(manifest), *score_rows(result, private), *spent_rows(result)])
    _tree(manifest, steps)
    _table(manifest, steps, folder, private)
    console = Console(highlight=False)
    for line in _dropped(steps):
        console.print(Text(plain(line), "yellow"), soft_wrap=True)
    for line in warnings(result):
        console.print(Text(line, "bold red"), soft_wrap=True)
    name = result.name
    console.print(Text(f"\nOne step whole: mlx runs show {name} --step N", "dim"), soft_wrap=True)
    return 0


def find_step(folder: RunFolder, number: int) -> Step:
    """One recorded step; raises UsageError if there is none."""
    steps = folder.steps()
    for step in steps:
        if step.step == number:
            return step
    known = f"Recorded: {count(len(steps), 'step')}, numbered from 0." if steps else ""
    raise UsageError(f"The run has no step {number}.", known)


def _object(folder: RunFolder, manifest: RunManifest, private: bool) -> dict[str, Any]:
    columns = schema([manifest], private)
    kept = [n for n in columns if n in _BRIEF.split() or n.startswith("reward.")]
    return {
        "run_dir": str(folder.path),
        "manifest": json.loads(manifest.model_dump_json(by_alias=True)),
        "steps": [{name: row[name] for name in kept} for row in rows(folder, columns)],
    }


def _made_of(manifest: RunManifest) -> list[tuple[str, str, str]]:
    found = [("run", manifest.run_id, "bold"), ("status", manifest.status, _style(manifest))]
    if manifest.error:
        found.append(("error", manifest.error, "red"))
    for kind in ("scaffold", "policy", "sandbox"):
        ref = manifest.components[kind]
        found.append((kind, f"{ref.spec}  ({ref.version})", ""))
    found.append(("rewards", ", ".join(ref.spec for ref in manifest.rewards) or "none", ""))
    found += [
        ("failed", plain(f"{name}: {cause}"), "red") for name, cause in manifest.broken.items()
    ]
    found += _attested(manifest)
    found.append(("seed", f"{manifest.seed}, {count(manifest.workers, 'worker')}", ""))
    return found


def _attested(manifest: RunManifest) -> list[tuple[str, str, str]]:
    """What the result was reached with, in four lines at most."""
    said = manifest.attestation
    signals = ", ".join(said.signals) or "nothing"
    board = ", what others reached" if said.boards_shown else ""
    found = [("feedback", f"{manifest.feedback}; the agent sees: {signals}{board}", "")]
    answers = "REACHABLE" if said.answers_reachable else "out of reach"
    if said.isolation is None:
        answers = "unknown"
    style = "bold red" if said.answers_reachable else ""
    found.append(("isolation", f"answers {answers}, network {said.network}", style))
    if said.weakened:
        found.append(("", "some steps ran under WEAKER ISOLATION than the first", "bold red"))
    data = said.data_hash or manifest.task.data_hash
    versions = said.versions or (f"mlxlab {manifest.mlxlab}, Python {manifest.python}",)
    found.append(("data", f"{plain(data[:16])}; {plain('; then '.join(versions))}", ""))
    return found


def _style(manifest: RunManifest) -> str:
    return {"done": "green", "failed": "red"}.get(manifest.status, "yellow")


def _tree(manifest: RunManifest, steps: list[Step]) -> None:
    console = Console(highlight=False)
    signs = glyphs(console)
    items = {step.step: recorded(step) for step in steps}
    best = manifest.best.step if manifest.best else None
    shown = layout(items, best=best, depth=console.width // 10, drawn=signs.branches)
    console.print()
    for line in draw(shown, best, console.width, signs, Moment(over=True)):
        console.print(line)
    console.print()


def _table(manifest: RunManifest, steps: list[Step], folder: RunFolder, private: bool) -> None:
    names = [ref.spec for ref in manifest.rewards]
    columns = [
        Column("STEP", right=True),
        Column("OPERATOR"),
        Column("PARENT", right=True),
        Column("STATUS"),
        Column("PUBLIC", right=True),
        Column("PRINTED", right=True, spare=3),
        *([Column("PRIVATE", right=True)] if private else []),
        *(Column(plain(name).upper(), right=True, spare=1) for name in names),
        Column("TOOK", right=True),
        Column("CALLS", right=True, spare=4),
        Column("COST", right=True, spare=2),
    ]
    answered = answers(folder)
    scores = folder.private_scores() if private else {}
    lines = []
    for step in steps:
        judged = by_spec(step.rewards, manifest.rewards)
        values = [judged[name].value if name in judged else None for name in names]
        cells = [*_outcome(step), *_effort(step, values, answered.get(step.step, []))]
        if private:
            hidden = scores.get(step.step)
            cells.insert(6, score(hidden.score if hidden else None))
        lines.append(cells)
    print_table(columns, lines)


def _dropped(steps: list[Step]) -> Iterator[str]:
    """Why states were not kept, each reason once, with the steps that it befell."""
    reasons: dict[str, list[int]] = {}
    for step in steps:
        if step.state_dropped:
            reasons.setdefault(step.state_dropped, []).append(step.step)
    for reason, numbers in list(reasons.items())[:_REASONS]:
        several = "steps" if len(numbers) > 1 else "step"
        listed = ", ".join(map(str, numbers))
        yield f"The state after {several} {listed} was not kept: {reason}"
    more = sum(len(numbers) for numbers in list(reasons.values())[_REASONS:])
    if more:
        yield f"{count(more, 'more step')} lost theirs; --step N says why."


def _outcome(step: Step) -> list[str]:
    seen = step.observation
    return [
        str(step.step),
        named(step.decision.operator, step.action),
        "-" if step.parent is None else str(step.parent),
        seen.status,
        score(seen.public_score),
        score(seen.self_score),
    ]


def _effort(step: Step, values: list[float | None], answered: list[Completion]) -> list[str]:
    return [
        *("-" if value is None else f"{value:.3g}" for value in values),
        duration((step.ended_at - step.started_at).total_seconds()),
        str(len(answered)),
        money(total(answer.cost_usd for answer in answered)),
    ]
