"""Whole runs of a scaffold on a toy task: programs are acted out in memory, answers scripted."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

from mlxlab.core.actions import Action
from mlxlab.core.boundary import whose
from mlxlab.core.budget import Budget
from mlxlab.core.calls import Caller
from mlxlab.core.environment import Environment
from mlxlab.core.errors import MlxError, PolicyError
from mlxlab.core.hooks import Hooks
from mlxlab.core.manifest import Attestation, BudgetLimits, RunManifest
from mlxlab.core.policy import Policy, PolicyRequest
from mlxlab.core.pool import EnvironmentPool
from mlxlab.core.records import Completion, ComponentRef, Decision, Feedback, Limits, Message, Step
from mlxlab.core.runner import Runner
from mlxlab.core.runs import RunFolder, RunWriter
from mlxlab.core.sandbox import ExecResult, Packages, SandboxSetup
from mlxlab.core.scaffold import Scaffold
from mlxlab.core.states import StateStore
from mlxlab.core.tree import RunContext
from mlxlab.testing.policies.scripted import Reply, ScriptedPolicy
from mlxlab.testing.sandboxes.memory import Files, MemorySandbox
from mlxlab.testing.scaffolds.examples import own
from mlxlab.testing.scaffolds.moments import NOW, REF
from mlxlab.testing.tasks.toy import ROWS, ToyTask

SEED = 1
PACKAGES = Packages(python="3", versions={}, cores=1, memory_bytes=0)
"""What a sandbox in memory says that it has."""
UNREAD = 3
"""One answer in so many steps, this being the first of them, holds no action."""
_REFS = {
    "scaffold": REF,
    **{
        kind: ComponentRef(kind=kind, name=kind, spec=kind)
        for kind in ("task", "policy", "sandbox")
    },
}


class Plan(NamedTuple):
    """What a run is to be."""

    steps: int = 10
    workers: int = 1
    feedback: Feedback = "public"


class Ran(NamedTuple):
    """What a run has recorded; `prompts` belong to the decisions."""

    manifest: RunManifest
    steps: list[Step]
    decisions: list[Decision]
    prompts: list[list[Message]]


def run(folder: Path, scaffold: Scaffold, policy: Policy, task: ToyTask, plan: Plan) -> Ran:
    """Begin a run, or take up the one that the folder holds, and run it to its end."""
    try:
        asyncio.run(_runner(folder, scaffold, policy, task, plan).run())
    except MlxError as error:
        # What the answering policy asks of the scaffold is not the policy's failure.
        if isinstance(error.__cause__, AssertionError) and _of_policy(error):
            raise error.__cause__ from error.__cause__.__cause__
        raise
    record = RunFolder(folder)
    decisions = record.decisions()
    prompts = [record.prompt(decision.prompt or "") for decision in decisions]
    return Ran(record.manifest(), record.steps(), decisions, prompts)


def _of_policy(error: MlxError) -> bool:
    return getattr(error, "owner", "") == whose(_REFS["policy"])


def _runner(folder: Path, scaffold: Scaffold, policy: Policy, task: ToyTask, plan: Plan) -> Runner:
    begun = (folder / "run.json").exists()
    manifest = RunFolder(folder).manifest() if begun else _manifest(task, plan)
    writer, states, hooks = RunWriter(folder), StateStore(folder / "states"), Hooks()
    budget = Budget(manifest.budget, manifest.spent.wall_s)

    async def make(worker: int) -> Environment:
        sandbox = MemorySandbox(play)
        await sandbox.open(SandboxSetup(scratch=folder))
        return Environment(task.info, task.grader(), sandbox, states, {}, hooks.action_handlers())

    context = RunContext(
        scaffold=REF,
        sandbox="memory",
        feedback=manifest.feedback,
        seed=manifest.seed,
        limits=manifest.limits,
    )
    return Runner(
        manifest,
        context,
        scaffold,
        Caller(policy, scaffold, writer, budget, _REFS),
        EnvironmentPool(make, manifest.workers),
        writer,
        states,
        budget,
        hooks,
    )


def _manifest(task: ToyTask, plan: Plan) -> RunManifest:
    return RunManifest(
        run_id="tested",
        mlxlab="0",
        python="3",
        created_at=NOW,
        task=task.info,
        components=_REFS,
        seed=SEED,
        workers=plan.workers,
        limits=Limits(wall_s=60.0),
        budget=BudgetLimits(steps=plan.steps),
        feedback=plan.feedback,
        attestation=Attestation(feedback=plan.feedback, signals=()),
    )


def answering(
    scaffold: Scaffold, more: Sequence[Action] = (), until: int = 1_000
) -> ScriptedPolicy:
    """A policy that takes one action after the other, and now and then writes none.

    From its call number `until` on it fails, as a provider does that has gone away.
    """

    def answer(request: PolicyRequest) -> Reply:
        if len(policy.requests) > until:
            return PolicyError("The provider has gone away.")
        step = request.decision.step
        if request.role == "editor":
            return f"```python\nvalue = {step}\n```"
        if request.role == "summary":
            return "A file."
        sayable = [a for a in own(scaffold, request.decision, more) if a.type != "final_answer"]
        if step % 5 == UNREAD or not sayable:
            return "I would rather not say."
        return Completion(action=sayable[step % len(sayable)], cost_usd=0.0)

    policy = ScriptedPolicy(answer)
    return policy


def play(script: str, files: Files) -> ExecResult | None:
    """A program fails, hands in nothing, or hands in predictions: as its text has it."""
    luck = crc32(script.encode("utf-8", "replace"))
    if luck % 5 == 0:
        return _result(exit_code=1, stderr="Traceback\nValueError: no")
    if luck % 5 == 1:
        return _result(stdout="nothing handed in\n")
    files["submission.csv"] = ToyTask.submission([float(luck % 7)] * ROWS).encode()
    return _result(stdout=f"metric: {luck % 7}.5\n")


def _result(exit_code: int = 0, stdout: str = "", stderr: str = "") -> ExecResult:
    return ExecResult(
        outcome="exited", exit_code=exit_code, stdout=stdout, stderr=stderr, duration_s=0.5
    )
