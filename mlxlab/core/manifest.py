"""run.json: what a run is made of, how it went, and which signals reached the agent."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from mlxlab.core.patience import PATIENCE_S
from mlxlab.core.records import SCHEMA, ComponentRef, Feedback, Limits, Record
from mlxlab.core.sandbox import Isolation
from mlxlab.core.states import MAX_BYTES
from mlxlab.core.task import TaskInfo
from mlxlab.core.totals import Totals

RunStatus = Literal["running", "done", "failed", "interrupted"]


class BudgetLimits(Record):
    """What a run may spend; None is no limit."""

    steps: int = 20
    time_s: float | None = None
    max_cost_usd: float | None = None
    max_tokens: int | None = Field(None, description="Prompts and answers together.")


class Spent(Totals):
    """What a run has spent, over all its resumptions."""

    steps: int = 0
    wall_s: float = 0.0


class Attestation(Record):
    """What a result was reached with, and which signals could reach the agent.

    It is said by the code that let them through. A run that goes on elsewhere attests the weaker
    of both. Runs of earlier versions leave the later fields at what is not known.
    """

    feedback: Feedback
    signals: tuple[str, ...]
    isolation: Isolation | None = None
    answers_reachable: bool = False
    private_scores_shown: bool = False
    public_scores_shown: bool = False
    boards_shown: bool = Field(False, description="Whether the agent saw what others reached.")
    network: Literal["none", "reachable", "unknown"] = Field(
        "unknown", description="What the code that ran could reach, as the sandbox isolates."
    )
    weakened: bool = Field(
        False, description="Some steps ran under weaker isolation than the first ones."
    )
    data_hash: str = Field("", description="Of the public files and the answers.")
    versions: tuple[str, ...] = Field(
        (), description="mlxlab and Python of each process that recorded, where they differ."
    )


class Best(Record):
    """The selected step: the best by the score that the feedback mode shows."""

    step: int
    score: float | None = None
    public_score: float | None = None


class RunManifest(Record):
    """The whole of run.json."""

    schema_version: int = Field(SCHEMA, alias="schema")
    run_id: str
    mlxlab: str
    python: str
    created_at: datetime
    status: RunStatus = "running"
    error: str | None = None
    ended: str | None = Field(None, description="Why no further step was started.")
    task: TaskInfo
    components: dict[str, ComponentRef]
    rewards: tuple[ComponentRef, ...] = ()
    seed: int = 0
    workers: int = 1
    gpus: tuple[int, ...] = ()
    limits: Limits = Limits()
    budget: BudgetLimits = BudgetLimits()
    patience_s: float = Field(
        PATIENCE_S, description="How long providers may fail in a row before the run stops."
    )
    max_state_bytes: int = Field(MAX_BYTES, description="A larger workspace is not kept.")
    feedback: Feedback = "public"
    cache: str | None = Field(None, description="Whose answers to the same requests are reused.")
    attestation: Attestation
    ideas: tuple[str, ...] = Field((), description="Woven into the task's description.")
    labels: dict[str, str] = Field(
        {}, description="What a bench or a user calls this run; no component reads them."
    )
    origin: str = Field("", description="The recording user's signature of the specs.")
    broken: dict[str, str] = Field(
        {}, description="Plugins that failed without ending the run, and how each failed last."
    )
    packages: dict[str, str] = {}
    spent: Spent = Spent()
    best: Best | None = None
