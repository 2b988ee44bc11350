"""The closing summary of a run, for people."""

from __future__ import annotations

import shlex
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.text import Text

from mlxlab.cli.console import Console
from mlxlab.cli.result import Result, Values
from mlxlab.cli.text import count, duration, paid, percent, plain, score, short
from mlxlab.core.totals import Totals

Row = tuple[str, str, str]
"""Label, value, style of the value."""


def print_summary(result: Result) -> None:
    """Print what came of a run on stdout."""
    console = Console(highlight=False)
    console.print()
    print_rows([*score_rows(result, private=True), *spent_rows(result), *_places(result)])
    for warning in warnings(result):
        console.print(Text(warning, "bold red"), soft_wrap=True)


def print_rows(rows: Sequence[Row]) -> None:
    """Print labels and values on stdout; in a terminal prose is broken at words, below itself.

    What has no spaces, and commands (in cyan), stay whole, so that they can be copied.
    """
    console = Console(highlight=False)
    width = max(len(label) for label, _, _ in rows)
    room = console.width - width - 2 if console.is_terminal else 0
    for label, value, style in rows:
        lines = [plain(value)]
        if room >= 20 and style != "cyan":
            lines = textwrap.wrap(lines[0], room, break_long_words=False) or [""]
        for line in lines:
            text = Text.assemble((f"{label:<{width}}  ", "dim"), (line, style))
            console.print(text, soft_wrap=True)
            label = ""


def score_rows(result: Result, private: bool) -> Iterator[Row]:
    """The selected step's scores beside baseline and reference."""
    m = result.manifest
    metric, best = m.task.metric, m.best
    word = "higher" if metric.direction == "maximize" else "lower"
    yield "task", f"{m.task.id}: {metric.name}, {word} is better", ""
    if best is None:
        yield "best", "no step left a valid submission", "bold yellow"
    else:
        style = "bold green" if m.status == "done" else "bold"
        yield "best", f"step {best.step}: {_scores(result, private)}", style
    yield "baseline", score(m.task.baseline), ""
    error = f" (standard error {score(m.task.standard_error)})" if m.task.standard_error else ""
    yield "reference", score(m.task.reference) + error, ""
    if private and result.gap_closed is not None:
        closed = percent(result.gap_closed)
        yield "gap closed", f"{closed} of baseline to reference, private rows", ""


def _scores(result: Result, private: bool) -> str:
    m = result.manifest
    found = [f"public {score(m.best.public_score)}"] if m.best and m.task.has_public else []
    if private:
        found.append(f"private {score(result.private.score if result.private else None)}")
    return ", ".join(found) or "valid"


def spent_rows(result: Result) -> Iterator[Row]:
    """Steps by status, rewards, tokens, money, time."""
    m = result.manifest
    statuses = ", ".join(f"{number} {status}" for status, number in result.statuses.items())
    yield (
        "steps",
        f"{m.spent.steps} of {m.budget.steps}" + (f": {statuses}" if statuses else ""),
        "",
    )
    if m.ended is not None and m.spent.steps < m.budget.steps:
        yield "ended", m.ended, ""
    if result.dropped:
        lost = f"the states after {count(result.dropped, 'step')}; mlx runs show says why"
        yield "not kept", lost, "yellow"
    if result.rewards:
        means = (f"{name} {_mean(values)}" for name, values in result.rewards.items())
        yield "mean reward", ", ".join(means), ""
    yield from call_rows(m.spent, m.budget.max_tokens)
    if result.reused:
        yield "reused", f"{result.reused} of {count(result.answers, 'answer')}", ""
    for number, (note, times) in enumerate(result.notes.items()):
        of = f"{times} of {count(result.answers, 'answer')}: {note}"
        yield "" if number else "noted", of, "yellow"
    yield "wall time", duration(m.spent.wall_s), ""


def _mean(values: Values) -> str:
    """A reward's mean, and over how many steps where it had nothing to say of the others."""
    mean = "-" if values.mean is None else short(values.mean)
    if values.steps == values.of:
        return mean
    return f"{mean} ({values.steps} of {count(values.of, 'step')})"


def call_rows(spent: Totals, max_tokens: int | None = None) -> Iterator[Row]:
    """Tokens, calls and money of a run or a step."""
    if spent.tokens or spent.uncounted_calls:
        yield "tokens", ", ".join(_tokens(spent, max_tokens)), ""
    if spent.failed_calls:
        yield "calls", ", ".join(_calls(spent)), ""
    if spent.cut_off_calls:
        lost = count(spent.cut_off_calls, "call")
        were = "it was" if spent.cut_off_calls == 1 else "they were"
        yield "cut off", f"{lost}: nobody knows whether {were} billed", "yellow"
    yield "cost", paid(spent), ""


def _tokens(spent: Totals, limit: int | None) -> Iterator[str]:
    if spent.tokens:
        yield from _counted(spent, limit)
    else:
        yield f"unknown, for {count(spent.uncounted_calls, 'call')}"
    if spent.latency_s >= 1:
        yield f"{duration(spent.latency_s)} of waiting for answers"


def _counted(spent: Totals, limit: int | None) -> Iterator[str]:
    yield f"{spent.prompt_tokens} in"
    yield f"{spent.completion_tokens} out"
    if spent.reasoning_tokens:
        yield f"{spent.reasoning_tokens} of them thinking"
    if spent.cached_prompt_tokens:
        yield f"{spent.cached_prompt_tokens} in from the provider's cache"
    if limit is not None and spent.tokens > limit:
        yield f"{spent.tokens - limit} over the limit: the provider took more than it was allowed"
    if spent.uncounted_calls:
        yield f"and {count(spent.uncounted_calls, 'call')} that nobody counted"
    yield count(spent.calls, "call")


def _calls(spent: Totals) -> Iterator[str]:
    yield f"{spent.answered_calls} answered"
    yield f"{spent.failed_calls} failed"
    retries = spent.retries
    yield f"{retries} {'retry' if retries == 1 else 'retries'}"


def _places(result: Result) -> Iterator[Row]:
    m = result.manifest
    yield "run folder", str(result.folder), ""
    program = result.folder / "best" / Path(m.task.entrypoint).name
    if program.is_file():
        yield "program", str(program), ""
    if m.status != "done":
        return
    yield "look at it", f"mlx runs show {result.name}", "cyan"
    if m.components["policy"].name == "catalog":
        yield "floor", "the catalog tries known recipes: what a model must beat", ""
        task, scaffold = (shlex.quote(m.components[kind].spec) for kind in ("task", "scaffold"))
        chosen = f"--task {task}" + (f" --scaffold {scaffold}" if scaffold != "aide" else "")
        yield "next", f"mlx run {chosen} --policy deepseek-r1", "cyan"
        yield "", "(needs DEEPSEEK_API_KEY and pip install 'mlxlab[litellm]')", "dim"


def warnings(result: Result) -> Iterator[str]:
    """What makes the scores of a run not comparable, said loudly."""
    attested = result.manifest.attestation
    if attested.answers_reachable:
        yield "ANSWERS REACHABLE: the sandbox did not isolate; the scores prove nothing."
    if attested.private_scores_shown:
        yield "PRIVATE SCORES SHOWN to the agent: the private score is no held-out score."
