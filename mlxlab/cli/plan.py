"""`mlx run --dry-run`: what would run, and what it is likely to cost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from mlxlab.api import Forecast, Plan
from mlxlab.cli.stdout import out
from mlxlab.cli.summary import Row, print_rows
from mlxlab.cli.text import count, duration, money


def print_plan(plan: Plan, found: Forecast | None, as_json: bool) -> None:
    """Print a plan on stdout."""
    if as_json:
        print(json.dumps(_object(plan, found)), file=out())
    else:
        print_rows([*_rows(plan), *_cost(plan, found)])


def _rows(plan: Plan) -> Iterator[Row]:
    m = plan.manifest
    metric, task = m.task.metric, m.components["task"].spec
    yield "task", f"{task}: {metric.name}, {_word(metric.direction)} is better", "bold"
    for role in ("scaffold", "policy", "editor", "sandbox"):
        if role in m.components:
            yield role, f"{m.components[role].spec} ({m.components[role].version})", ""
    isolation = m.attestation.isolation
    if isolation is not None:
        yield "", isolation.description, "bold red" if isolation.answers_reachable else "dim"
    yield "rewards", ", ".join(ref.spec for ref in m.rewards) or "none", ""
    yield "feedback", m.feedback, "bold red" if m.feedback == "private" else ""
    yield "budget", ", ".join(_limits(plan)), ""
    gpus = f", GPUs {', '.join(map(str, m.gpus))}" if m.gpus else ""
    yield "workers", f"{m.workers}{gpus}", ""
    yield "seed", str(m.seed), ""
    if m.cache is not None:
        yield "reuses", f"what was answered in {m.cache}", ""
    yield "goes to", str(plan.options.out), ""


def _limits(plan: Plan) -> Iterator[str]:
    m = plan.manifest
    yield count(m.budget.steps, "step")
    yield f"{duration(m.limits.wall_s)} an execution"
    if m.budget.time_s is not None:
        yield f"{duration(m.budget.time_s)} in all"
    if m.budget.max_cost_usd is not None:
        yield f"at most {money(m.budget.max_cost_usd)}"
    if m.budget.max_tokens is not None:
        yield f"at most {count(m.budget.max_tokens, 'token')}"


def _cost(plan: Plan, found: Forecast | None) -> Iterator[Row]:
    if found is not None:
        for number, line in enumerate(str(found).splitlines()):
            yield "" if number else "cost", line.removeprefix("Expected: "), ""
    elif plan.stated:
        yield "cost", "none: no model is paid", ""
    else:
        yield "cost", "unknown: the policy states no price", ""
    yield "", "Nothing was started and nothing written.", "dim"


def _object(plan: Plan, found: Forecast | None) -> dict[str, Any]:
    m = plan.manifest
    return {
        "dry_run": True,
        "task": m.task.id,
        "metric": {"name": m.task.metric.name, "direction": m.task.metric.direction},
        "components": {role: ref.spec for role, ref in m.components.items()},
        "rewards": [ref.spec for ref in m.rewards],
        "feedback": m.feedback,
        "steps": m.budget.steps,
        "time_s": m.budget.time_s,
        "exec_timeout_s": m.limits.wall_s,
        "max_cost_usd": m.budget.max_cost_usd,
        "max_tokens": m.budget.max_tokens,
        "patience_s": m.patience_s,
        "max_state_bytes": m.max_state_bytes,
        "workers": m.workers,
        "gpus": list(m.gpus),
        "seed": m.seed,
        "cache": m.cache,
        "out": str(plan.options.out),
        "forecast": found.model_dump(mode="json") if found else None,
    }


def _word(direction: str) -> str:
    return "higher" if direction == "maximize" else "lower"
