"""The record: what a step is made of, as it is kept on disk (schema 1).

Every model here is frozen; fields that a later schema adds are ignored on reading.
Scores are in the metric's own unit, times in seconds, sizes in bytes.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from mlxlab.core.actions import Action

SCHEMA = 1
CLEAN = "clean"
"""The state every run starts from: the task's starter files and nothing else."""

Status = Literal[
    "ok",
    "error",
    "timeout",
    "oom",
    "killed",
    "invalid_action",
    "invalid_submission",
    "no_submission",
]
Feedback = Literal["public", "self", "none", "private"]
Role = Literal["policy", "editor", "summary", "repair"]
Direction = Literal["maximize", "minimize"]


class Record(BaseModel):
    """Base of everything recorded: frozen, and tolerant of fields from a later schema."""

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        protected_namespaces=(),
        populate_by_name=True,
        ser_json_inf_nan="strings",  # JSON has no word for them, and a record must read back
    )


class Message(Record):
    """One chat message of a prompt."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str


class Usage(Record):
    """Tokens of one call; None where the provider does not say."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    reasoning_tokens: int | None = Field(None, description="A part of completion_tokens.")
    cached_prompt_tokens: int | None = Field(None, description="A part of prompt_tokens.")


class Completion(Record):
    """What a policy answered.

    `action` is set by policies that choose actions instead of writing text, `fields` by those that
    answered in the form of the request; the Runner has the scaffold write either as text, so that
    the record always holds one. `cost_usd` is None where the price is unknown, never 0 for unknown.

    `token_ids` are those that the model produced, thinking, special and end tokens included, in
    answer to `prompt_token_ids`. `logprobs` has one natural logarithm for each of them: the
    model's logits divided by the temperature (by 1 at temperature 0), over the whole vocabulary,
    before top_p and the like, so that a forward pass over both lists gives the same numbers.
    """

    text: str = ""
    reasoning: str | None = None
    tool_calls: tuple[dict[str, Any], ...] = ()
    action: Action | None = None
    fields: dict[str, str] | None = None
    usage: Usage = Usage()
    cost_usd: float | None = None
    model: str = ""
    latency_s: float = 0.0
    finish_reason: str | None = None
    attempts: int = 1
    notes: tuple[str, ...] = Field((), description="What was asked for and not done, in words.")
    reused: str | None = Field(None, description="The run and call whose answer this is again.")
    temperature: float | None = Field(None, description="As sampled, where it is known.")
    prompt_token_ids: tuple[int, ...] | None = None
    token_ids: tuple[int, ...] | None = None
    logprobs: tuple[float, ...] | None = None


class Limits(Record):
    """What one execution may use; every limit is enforced by the sandbox."""

    wall_s: float = Field(60.0, description="Wall time of one execution, in seconds.")
    cpu_s: float | None = Field(
        None, description="CPU seconds, of each process or of all of them; None: wall time x cores."
    )
    memory_bytes: int = Field(
        4 << 30, description="Address space of one process, and memory of all of them together."
    )
    processes: int = Field(128, description="Processes and threads alive at one time.")
    file_bytes: int = Field(1 << 30, description="Size of one written file.")
    disk_bytes: int = Field(4 << 30, description="Disk that the whole workspace may take.")
    files: int = Field(200_000, description="Files and folders that it may hold.")
    output_bytes: int = Field(64 << 20, description="stdout plus stderr; more ends the step.")
    kept_output_chars: int = Field(20_000, description="Head plus tail kept of each stream.")


class ComponentRef(Record):
    """Which component took part: enough to make it again.

    `resolved` is what names in the spec stood for, such as a preset's settings: a resumed run
    goes on only where they stand for the same. `details` may differ then: an address, a price.
    """

    kind: str
    name: str
    spec: str
    version: str = ""
    config: dict[str, Any] = {}
    resolved: dict[str, Any] = {}
    details: dict[str, Any] = {}


class Decision(Record):
    """A scaffold's choice, and the complete state a trainer needs to sample another action.

    `prompt` refers to the recorded messages by their hash. `score` is m_t of ML-Agent's reward: the
    public score of the solution that is gone on from (the parent's, else as it stands at `start`),
    None while there is none; where no public score is fed back, or a hidden probe found it, it is
    filled in for rewards and the record only. `seed` is the run's. `seen` is the number of steps
    that were recorded when the choice was made, `pending` the steps in flight then: together they
    are the order that a replay follows.
    """

    step: int
    operator: str
    parent: int | None = None
    start: str = CLEAN
    score: float | None = None
    allowed: tuple[str, ...] = ("run_code",)
    limits: Limits = Limits()
    scaffold: ComponentRef
    task: str
    data_hash: str
    sandbox: str
    feedback: Feedback
    seed: int
    seen: int = 0
    pending: tuple[int, ...] = ()
    prompt: str | None = None
    extra: dict[str, Any] = {}


class Observation(Record):
    """What came of an action, as the agent may see it."""

    status: Status
    stdout: str = ""
    stderr: str = ""
    exit_code: int | None = None
    duration_s: float = 0.0
    public_score: float | None = None
    self_score: float | None = None
    message: str = ""


class Probe(Record):
    """A hidden run of the task's entrypoint after an edit, made because a reward needs it."""

    status: Status
    score: float | None = None
    duration_s: float = 0.0


class RewardValue(Record):
    """One reward's judgement; `value` is None where the reward has nothing to say."""

    value: float | None
    reason: str
    parts: dict[str, float] = {}


class Call(Record):
    """One policy call, written to calls.jsonl before its result is used."""

    schema_version: int = Field(SCHEMA, alias="schema")
    step: int
    index: int
    role: Role
    decision: Decision
    prompt: str
    sampling: dict[str, Any] = Field(
        {}, description="What the request said of it; a run says nothing: the policy's options do."
    )
    form: str | None = Field(None, description="The form that the answer was wanted in.")
    token_limit: int | None = Field(None, description="What the budget left for the answer.")
    completion: Completion | None = None
    error: str | None = None
    cut_off: bool = Field(False, description="Sent, and no whole answer came: perhaps billed.")
    started_at: datetime
    ended_at: datetime


class Step(Record):
    """One line of steps.jsonl: a decision, what was done about it, and what came of it."""

    schema_version: int = Field(SCHEMA, alias="schema")
    run_id: str
    step: int
    parent: int | None
    decision: Decision
    calls: tuple[int, ...] = ()
    prompt: str | None = None
    completion: Completion | None = None
    action: Action | None = None
    state: str
    next_state: str | None
    state_dropped: str | None = None
    observation: Observation
    probe: Probe | None = None
    rewards: dict[str, RewardValue] = {}
    started_at: datetime
    ended_at: datetime


class PrivateScore(Record):
    """One line of scores.jsonl, which no agent, scaffold, reward or trainer reads."""

    step: int
    score: float | None
    standard_error: float | None = None
