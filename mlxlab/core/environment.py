"""One transition: restore a state, carry out an action, grade, probe, reward.

This is the only place that does so: `mlx run`, replay and training all go through it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from math import isfinite, isnan
from random import Random

from mlxlab.core.actions import EDITS, Action, CustomAction
from mlxlab.core.assisted import Consult
from mlxlab.core.boundary import Late, answering, apart, kept_text, number_problem
from mlxlab.core.errors import PluginError, StateNotKept, broken
from mlxlab.core.handlers import HANDLERS, Outcome, Workbench, run_script
from mlxlab.core.hooks import ActionHandler, Hooks
from mlxlab.core.judging import rewarded
from mlxlab.core.measured import MetricFailed
from mlxlab.core.records import Decision, Observation, Probe, Record, RewardValue
from mlxlab.core.reward import Reward, StepView
from mlxlab.core.sandbox import Sandbox, SandboxFileError, Snapshot
from mlxlab.core.states import StateStore
from mlxlab.core.task import Grade, Grader, TaskInfo
from mlxlab.core.tasked import grade_problem

METRIC_LINE = re.compile(r"^\s*metric:\s*([-+]?[\d.]+(?:[eE][-+]?\d+)?)\s*$", re.MULTILINE)
MAX_SUBMISSION = 256 << 20


class Transition(Record):
    """What a transition shows to scaffolds, rewards and trainers: no private score."""

    next_state: str | None
    state_dropped: str | None = None
    observation: Observation
    probe: Probe | None = None
    rewards: dict[str, RewardValue] = {}


@dataclass(frozen=True)
class Effect:
    """What an action did from a start state, before anybody has judged it.

    It depends on the decision's start, limits and seed alone, so that equal actions from equal
    states have equal effects, while rewards look at the decision's own score too.
    """

    observation: Observation
    after: Snapshot
    probe: Probe | None = None
    grade: Grade | None = None


@dataclass(frozen=True)
class Environment:
    """A task's transitions in one sandbox.

    Args:
        rewards: reward plugins by the name their values are recorded under.
        handlers: handlers of custom actions, by the action's name.
        owners: whose each reward is, by the name its values are recorded under.
        owner: whose the grader is.
        hooks: whose the handlers are, and who hears of failures that cost no run.
    """

    task: TaskInfo
    grader: Grader
    sandbox: Sandbox
    states: StateStore
    rewards: Mapping[str, Reward] = field(default_factory=dict)
    handlers: Mapping[str, ActionHandler] = field(default_factory=dict)
    owners: Mapping[str, str] = field(default_factory=dict)
    owner: str = ""
    hooks: Hooks = field(default_factory=Hooks)

    async def transition(
        self,
        decision: Decision,
        action: Action | None,
        *,
        problem: str = "",
        consult: Consult | None = None,
    ) -> tuple[Transition, Grade | None]:
        """Take one action from the decision's start state.

        Args:
            decision: says where to start and what is allowed.
            action: None where the completion held none.
            problem: why there is no action, for the agent.
            consult: asks the run's editor, for the actions that it carries out.

        Returns:
            The transition, and the grade of the submission if one was graded. The grade holds
            the private score: only the record's host-only file may get it.

        Raises:
            SandboxError: the sandbox's engine failed, twice.
            RecordError: the start state is gone.
        """
        why = refusal(decision, action, self.handlers, problem)
        if why is not None or action is None:
            effect = Effect(invalid(why or problem), Snapshot(state=decision.start))
        else:
            effect = await self.carry_out(decision, action, consult=consult)
        return self._judged(decision, action, effect), effect.grade

    async def carry_out(
        self,
        decision: Decision,
        action: Action,
        *,
        consult: Consult | None = None,
        seed: int | None = None,
        keep: bool = True,
    ) -> Effect:
        """Restore, act, grade, keep the next state, probe; for an action that is not refused.

        Args:
            decision: says where to start and what an execution may use.
            action: what to carry out.
            consult: asks an editor, for the actions that it carries out.
            seed: of the program's random numbers; None: the one of the decision's step.
            keep: whether the next state is recorded.

        Raises:
            SandboxError: the sandbox's engine failed.
            RecordError: the start state is gone.
        """
        await self.sandbox.restore(self.states, decision.start)
        seed = _seed(decision) if seed is None else seed
        bench = Workbench(self.task, self.sandbox, decision, seed, consult)
        outcome = await self._handle(bench, action)
        seen, grade = outcome.observation, None
        if outcome.grading != "none" and seen.status == "ok":
            seen, grade = await self._grade(seen)
        if outcome.grading == "form":
            seen, grade = seen.model_copy(update={"public_score": None}), None
        after = await self._snapshot(decision.start) if keep else Snapshot(state=None)
        return Effect(seen, after, await self._probe(bench, action, seen), grade)

    async def _handle(self, bench: Workbench, action: Action) -> Outcome:
        if action.type == "custom":
            return Outcome(await self._custom(action))
        return await HANDLERS[action.type](bench, action)

    async def _custom(self, action: CustomAction) -> Observation:
        who = self.hooks.handled_by.get(action.name, "a plugin")
        what = f"its handler of the action '{action.name}'"
        try:
            async with answering(who, what):
                seen: object = await self.handlers[action.name](action, self.sandbox)
                if not isinstance(seen, Observation):
                    raise TypeError(f"it returned {type(seen).__name__}, no Observation")
        except PluginError as error:
            self.hooks.swallowed(error)
            return Observation(status="error", message=error.message)
        return seen

    async def _grade(self, seen: Observation) -> tuple[Observation, Grade | None]:
        """The observation of a program that ended well, with its submission graded."""
        found = METRIC_LINE.findall(seen.stdout)
        self_score = _number(found[-1]) if found else None
        path = self.task.submission.path
        try:
            data = await self.sandbox.read(path, MAX_SUBMISSION)
        except FileNotFoundError:
            return seen.model_copy(
                update={
                    "status": "no_submission",
                    "self_score": self_score,
                    "message": f"The program ended without writing {path} in the working "
                    "directory.",
                }
            ), None
        except SandboxFileError as error:
            return seen.model_copy(
                update={
                    "status": "invalid_submission",
                    "self_score": self_score,
                    "message": f"{path} cannot be graded: {error}",
                }
            ), None
        grade = await apart(self._grading, "grade", self._verdict, data)
        return seen.model_copy(
            update={
                "status": "ok" if grade.valid else "invalid_submission",
                "public_score": grade.public if grade.valid else None,
                "self_score": self_score,
                "message": grade.message,
            }
        ), grade if grade.valid else None

    @property
    def _grading(self) -> str:
        return self.owner or f"task '{self.task.id}'"

    def _verdict(self, data: bytes) -> Grade:
        """The grade; a grader that fails has met a file that it cannot take.

        What it says of the failure may quote answers, so the agent gets the error's kind only.
        """
        try:
            grade = self.grader.grade(data)
        except Late:
            raise
        except MetricFailed as error:
            return self._ungraded(error.owner, error.call, error)
        except Exception as error:
            return self._ungraded(self._grading, "grade", error)
        if problem := grade_problem(grade):
            raise broken(self._grading, "grade", problem, asked=self.grader)
        self._note_nan(grade)
        scores = (grade.public, grade.private, grade.private_standard_error)
        if any(score is not None and number_problem(score) for score in scores):
            return Grade(valid=False, message="The metric has no finite value for this submission.")
        return grade.model_copy(update={"message": kept_text(grade.message)})

    def _note_nan(self, grade: Grade) -> None:
        """Let people hear of a score that is no number: a grader has to refuse such a file."""
        for board, score in (("private", grade.private), ("public", grade.public)):
            if isinstance(score, float) and isnan(score):
                problem = f"returned a {board} score that is nan"
                self.hooks.swallowed(broken(self._grading, "grade", problem, asked=self.grader))
                return

    def _ungraded(self, who: str, what: str, error: Exception) -> Grade:
        """The verdict on a file that grader or metric cannot take."""
        cause = error.__cause__ if isinstance(error, MetricFailed) else error
        told = f"{who}: {what} raised {type(cause).__name__}"
        failure = PluginError(f"{told}.", owner=who, call=what)
        failure.__cause__ = cause
        self.hooks.swallowed(failure, type(cause).__name__)
        return Grade(valid=False, message=f"The submission could not be graded ({told}).")

    async def _snapshot(self, parent: str) -> Snapshot:
        """The state that the action left; a full disk costs the state, not the step."""
        try:
            return await self.sandbox.snapshot(self.states, parent)
        except StateNotKept as error:
            return Snapshot(state=None, dropped=str(error))

    async def _probe(self, bench: Workbench, action: Action, seen: Observation) -> Probe | None:
        """Run the entrypoint after an edit that does not run itself, if a reward needs it.

        The state was recorded before, so what the probe leaves behind is never seen.
        """
        if not probed(self.rewards, action) or seen.status != "ok":
            return None
        outcome = await run_script(bench, self.task.entrypoint)
        result = outcome.observation
        if result.status == "ok":
            result, _ = await self._grade(result)
        return Probe(status=result.status, score=result.public_score, duration_s=result.duration_s)

    def _judged(self, decision: Decision, action: Action | None, effect: Effect) -> Transition:
        seen, probe = effect.observation, effect.probe
        view = StepView(decision=decision, action=action, observation=seen, probe=probe)
        return Transition(
            next_state=effect.after.state,
            state_dropped=effect.after.dropped,
            observation=seen,
            probe=probe,
            rewards=rewarded(self.rewards, view, self.task, self.owners, self.hooks),
        )


def invalid(why: str) -> Observation:
    """What is seen of an action that is none, or not allowed."""
    return Observation(status="invalid_action", message=why)


def probed(rewards: Mapping[str, Reward], action: Action) -> bool:
    """Whether a reward needs the entrypoint run after an action that does not run it itself."""
    wanted = any("probe" in reward.needs for reward in rewards.values())
    return wanted and action.type in EDITS - {"run_code"}


def refusal(
    decision: Decision, action: Action | None, handlers: Collection[str], problem: str = ""
) -> str | None:
    """Why an action is not carried out, for the agent; None for one that may be.

    Args:
        decision: says what is allowed.
        action: None where the completion held none.
        handlers: the names of the registered custom actions.
        problem: why there is no action.
    """
    if action is None:
        return problem or "The answer holds no action."
    if action.type not in decision.allowed:
        allowed = ", ".join(decision.allowed)
        return f"The action {action.type} is not allowed here. Allowed: {allowed}."
    if action.type == "custom" and action.name not in handlers:
        known = ", ".join(sorted(handlers)) or "none"
        return f"There is no action '{action.name}'. Registered actions: {known}."
    return None


def _seed(decision: Decision) -> int:
    return Random(f"{decision.seed}:{decision.step}:run").getrandbits(31)


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if isfinite(value) else None
