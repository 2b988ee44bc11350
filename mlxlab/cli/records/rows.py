"""A run as flat rows, one for each step: what `mlx runs export` writes.

    run_id task metric direction scaffold policy sandbox feedback seed      the run
    step parent operator state next_state state_dropped score_before seen   the decision
    prompt                     messages of the last call, each with role and content
    completion reasoning model finish_reason token_ids logprobs             the last answer
    calls attempts prompt_tokens completion_tokens reasoning_tokens cost_usd latency_s
                               sums over the step's answered calls; null as soon as one is unknown
    action_type action code plan        the action as JSON; its program and plan where it has them
    status exit_code duration_s message stdout stderr public_score self_score   the observation
    probe_status probe_score            the hidden run after an edit
    private_score private_standard_error                                    with --private only
    started_at ended_at                 ISO 8601
    reward.NAME reward_reason.NAME      for every reward of the exported runs

Scores are in the metric's unit, times in seconds, money in US dollars. A column has one type
whatever it holds, also when every value is null.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

from mlxlab.api import RunFolder, RunManifest
from mlxlab.core.records import Completion, PrivateScore, RewardValue, Step
from mlxlab.core.spellings import by_spec

Type = Literal["text", "whole", "number", "messages", "wholes", "numbers"]
Row = dict[str, Any]
Schema = dict[str, Type]

_TEXT = (
    "run_id task metric direction scaffold policy sandbox feedback operator state next_state "
    "state_dropped "
    "completion reasoning model finish_reason action_type action code plan status message stdout "
    "stderr probe_status started_at ended_at"
)
_WHOLE = (
    "seed step parent seen calls attempts prompt_tokens completion_tokens reasoning_tokens "
    "exit_code"
)
_NUMBER = "score_before cost_usd latency_s duration_s public_score self_score probe_score"
_TYPES: Schema = {
    **dict.fromkeys(_TEXT.split(), "text"),
    **dict.fromkeys(_WHOLE.split(), "whole"),
    **dict.fromkeys(_NUMBER.split(), "number"),
    "prompt": "messages",
    "token_ids": "wholes",
    "logprobs": "numbers",
}
_ORDER = (
    "run_id task metric direction scaffold policy sandbox feedback seed step parent operator "
    "state next_state state_dropped score_before seen prompt completion reasoning model "
    "finish_reason token_ids logprobs calls attempts prompt_tokens completion_tokens "
    "reasoning_tokens cost_usd latency_s action_type action code plan status exit_code duration_s "
    "message stdout stderr public_score self_score probe_status probe_score started_at ended_at"
)


def schema(runs: Iterable[RunManifest], private: bool) -> Schema:
    """The columns of an export in their order, with their types."""
    found: Schema = {name: _TYPES[name] for name in _ORDER.split()}
    if private:
        found |= {"private_score": "number", "private_standard_error": "number"}
    for name in sorted({reward.spec for run in runs for reward in run.rewards}):
        found |= {f"reward.{name}": "number", f"reward_reason.{name}": "text"}
    return found


def rows(folder: RunFolder, columns: Schema) -> Iterator[Row]:
    """One row for each recorded step of a run.

    Raises:
        RecordError: the run cannot be read, or a message of a prompt is missing.
    """
    manifest = folder.manifest()
    private = folder.private_scores() if "private_score" in columns else {}
    answered = answers(folder)
    for step in folder.steps():
        messages = folder.prompt(step.prompt) if step.prompt else None
        row: Row = {
            **_run(manifest),
            **_decision(step),
            "prompt": messages and [message.model_dump() for message in messages],
            **_answer(step.completion),
            **_sums(answered.get(step.step, [])),
            **_action(step),
            **_outcome(step),
            **_private(private.get(step.step)),
            **_rewards(by_spec(step.rewards, manifest.rewards)),
        }
        yield {name: row.get(name) for name in columns}


def answers(folder: RunFolder) -> dict[int, list[Completion]]:
    """Every step's completions, in the order of its calls."""
    found: dict[int, list[Completion]] = {}
    for call in folder.calls():
        if call.completion is not None:
            found.setdefault(call.step, []).append(call.completion)
    return found


def total(values: Iterable[float | None]) -> float | None:
    """The sum; None as soon as one is unknown."""
    result: float = 0
    for value in values:
        if value is None:
            return None
        result += value
    return result


def _run(manifest: RunManifest) -> Row:
    return {
        "run_id": manifest.run_id,
        "task": manifest.task.id,
        "metric": manifest.task.metric.name,
        "direction": manifest.task.metric.direction,
        **{kind: manifest.components[kind].spec for kind in ("scaffold", "policy", "sandbox")},
        "feedback": manifest.feedback,
        "seed": manifest.seed,
    }


def _decision(step: Step) -> Row:
    return {
        "step": step.step,
        "parent": step.parent,
        "operator": step.decision.operator,
        "state": step.state,
        "next_state": step.next_state,
        "state_dropped": step.state_dropped,
        "score_before": step.decision.score,
        "seen": step.decision.seen,
    }


def _answer(completion: Completion | None) -> Row:
    if completion is None:
        return {}
    return {
        "completion": completion.text,
        "reasoning": completion.reasoning,
        "model": completion.model,
        "finish_reason": completion.finish_reason,
        "token_ids": _list(completion.token_ids),
        "logprobs": _list(completion.logprobs),
    }


def _list(values: tuple[float, ...] | None) -> list[float] | None:
    return None if values is None else list(values)


def _sums(answered: Sequence[Completion]) -> Row:
    return {
        "calls": len(answered),
        "attempts": sum(answer.attempts for answer in answered),
        "prompt_tokens": total(answer.usage.prompt_tokens for answer in answered),
        "completion_tokens": total(answer.usage.completion_tokens for answer in answered),
        "reasoning_tokens": total(answer.usage.reasoning_tokens for answer in answered),
        "cost_usd": total(answer.cost_usd for answer in answered),
        "latency_s": total(answer.latency_s for answer in answered),
    }


def _action(step: Step) -> Row:
    action = step.action
    if action is None:
        return {}
    code = getattr(action, "code", None)
    return {
        "action_type": action.type,
        "action": action.model_dump_json(),
        "code": getattr(action, "content", None) if code is None else code,
        "plan": getattr(action, "plan", None),
    }


def _outcome(step: Step) -> Row:
    seen = step.observation.model_dump()
    probe = step.probe
    return {
        **seen,
        "probe_status": probe and probe.status,
        "probe_score": probe and probe.score,
        "started_at": step.started_at.isoformat(),
        "ended_at": step.ended_at.isoformat(),
    }


def _private(score: PrivateScore | None) -> Row:
    if score is None:
        return {}
    return {"private_score": score.score, "private_standard_error": score.standard_error}


def _rewards(rewards: Mapping[str, RewardValue]) -> Row:
    row: Row = {}
    for name, reward in rewards.items():
        row |= {f"reward.{name}": reward.value, f"reward_reason.{name}": reward.reason}
    return row
