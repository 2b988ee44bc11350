"""From a run's options to the manifest of what would be recorded of it."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from mlxlab.core.boundary import whose
from mlxlab.core.cache import cache_place, reusable
from mlxlab.core.clock import now, run_id
from mlxlab.core.components import Components, Specs
from mlxlab.core.errors import UsageError
from mlxlab.core.guarded import isolation_of
from mlxlab.core.inputs import prepared
from mlxlab.core.manifest import Attestation, BudgetLimits, RunManifest
from mlxlab.core.order import Order
from mlxlab.core.patience import PATIENCE_S
from mlxlab.core.policy import Choosing, Ordered
from mlxlab.core.preview import preview
from mlxlab.core.records import Feedback, Limits
from mlxlab.core.registry import Component
from mlxlab.core.sandbox import Isolation, Sandbox
from mlxlab.core.scaffold import Listing, Pace, Paced, Scaffold
from mlxlab.core.states import MAX_BYTES
from mlxlab.core.task import Grader, Task, TaskInfo
from mlxlab.core.tasked import found_grader, stated_hidden, stated_info

SIGNALS: dict[Feedback, tuple[str, ...]] = {
    "public": ("program output", "submission validity", "public score"),
    "self": ("program output", "submission validity", "score printed by the program"),
    "none": ("program output", "submission validity"),
    "private": ("program output", "submission validity", "PRIVATE score"),
}

IDEAS = "\n\nTry first:\n"
"""Between a task's own description and the ideas that exploration wove in, one a line."""


@dataclass(frozen=True)
class RunOptions(Specs):
    """A run's components and everything else; None takes the task's own default.

    Times are in seconds, sizes in bytes, money in US dollars; `gpus` are the indices that the
    workers share, `cache` is the run or the folder of runs whose answers are reused, and `ideas`
    are what the agent is told to try first.
    """

    steps: int | None = None
    time_s: float | None = None
    exec_timeout_s: float | None = None
    max_cost_usd: float | None = None
    max_tokens: int | None = None
    patience_s: float | None = None
    seed: int = 0
    workers: int | None = None
    gpus: tuple[int, ...] = ()
    max_state_bytes: int | None = None
    feedback: Feedback | None = None
    cache: str | Path | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    ideas: tuple[str, ...] = ()
    out: Path = Path("runs")


@dataclass(frozen=True)
class Ground:
    """A task with its public files prepared and its answers at hand.

    `owner` says whose it is, `hidden` what no sandbox of it may show.
    """

    task: Task
    info: TaskInfo
    inputs: Path
    grader: Grader
    owner: str = ""
    hidden: tuple[str, ...] = ()

    @classmethod
    def of(cls, task: Task, ideas: Sequence[str] = (), owner: str = "") -> Ground:
        """Prepare a task's files, load its answers and weave ideas in.

        Raises:
            TaskError: what the task is made from cannot be used.
            PluginError: the task's own code failed, or states what cannot be.
        """
        who = owner or f"task '{type(task).__name__}'"
        info, hidden = stated_info(who, task), stated_hidden(who, task)
        inputs = prepared(task, info, who)
        shown = info.preview or preview(inputs)
        info = woven(info.model_copy(update={"preview": shown}), ideas)
        return cls(task, info, inputs, found_grader(who, task), who, hidden)


def ground_of(made: Component[Task], ideas: Sequence[str] = ()) -> Ground:
    """The ground of a task that was made; raises as `Ground.of`."""
    return Ground.of(made.instance, ideas, whose(made.ref))


def woven(info: TaskInfo, ideas: Sequence[str]) -> TaskInfo:
    """A task whose description asks to try ideas first (ML-Agent, section 4.1: 1 to 3 of them)."""
    if not ideas:
        return info
    told = info.description.rstrip() + IDEAS + "\n".join(f"- {idea}" for idea in ideas) + "\n"
    return info.model_copy(update={"description": told, "ideas": tuple(ideas)})


def planned(options: RunOptions, components: Components, info: TaskInfo) -> RunManifest:
    """The manifest of a run that has not started; raises UsageError for what cannot be."""
    refuse_unlisted(components)
    feedback = _feedback(options.feedback, info, components.scaffold)
    wall_s = options.exec_timeout_s or info.exec_timeout_s
    isolation = isolation_of(components.sandbox)
    return RunManifest(
        run_id=run_id(info.id, components.scaffold.ref.name, components.policy.ref.name),
        mlxlab=version("mlxlab"),
        python=platform.python_version(),
        created_at=now(),
        task=info,
        **components.as_recorded(),
        seed=options.seed,
        workers=_workers(options, components),
        gpus=options.gpus,
        limits=Limits(wall_s=wall_s),
        budget=_budget(options, components, info),
        patience_s=options.patience_s or PATIENCE_S,
        max_state_bytes=options.max_state_bytes or MAX_BYTES,
        feedback=feedback,
        cache=_cache(options, components),
        labels=dict(options.labels),
        ideas=options.ideas,
        attestation=attestation(feedback, isolation, info.data_hash),
    )


def refuse_unlisted(components: Components) -> None:
    """Raise UsageError for a policy that chooses from a list, and a scaffold that has none."""
    policy, scaffold = components.policy, components.scaffold
    chooses = isinstance(policy.instance, Choosing) and policy.instance.needs_listing
    if chooses and not isinstance(scaffold.instance, Listing):
        raise UsageError(
            f"The policy '{policy.ref.name}' chooses among listed actions, and the scaffold "
            f"'{scaffold.ref.name}' lists none.",
            "Use a scaffold that does, such as --scaffold recipe.",
        )


def _cache(options: RunOptions, components: Components) -> str | None:
    if options.cache is None:
        return None
    asked = (components.policy, components.editor)
    reusable([component.ref for component in asked if component is not None])
    return str(cache_place(options.cache, options.out))


def _budget(options: RunOptions, components: Components, info: TaskInfo) -> BudgetLimits:
    """What is said; else a replayed run's steps, the scaffold's own pace, the task's default."""
    scaffold, order = components.scaffold.instance, order_of(components)
    pace = scaffold.pace if isinstance(scaffold, Paced) and order is None else Pace()
    recorded = order.planned if order is not None else None
    steps = (options.steps, recorded, pace.steps, info.steps)
    return BudgetLimits(
        steps=next(number for number in steps if number is not None),
        time_s=pace.time_s if options.time_s is None else options.time_s,
        max_cost_usd=options.max_cost_usd,
        max_tokens=options.max_tokens,
    )


def _workers(options: RunOptions, components: Components) -> int:
    order = order_of(components)
    if order is None:
        return options.workers or 1
    if options.workers not in (None, order.workers):
        raise UsageError(
            f"The run to be replayed had --workers {order.workers}.", "Leave --workers out."
        )
    return order.workers


def order_of(components: Components) -> Order | None:
    """The order to follow, where the policy answers from a recorded run."""
    policy = components.policy.instance
    return policy.order if isinstance(policy, Ordered) else None


def attestation(
    feedback: Feedback, isolation: Isolation, data_hash: str, boards_shown: bool = False
) -> Attestation:
    """What can be said of a run that begins in such a sandbox."""
    return Attestation(
        feedback=feedback,
        signals=SIGNALS[feedback],
        isolation=isolation,
        answers_reachable=isolation.answers_reachable,
        private_scores_shown=feedback == "private",
        public_scores_shown=feedback == "public",
        boards_shown=boards_shown,
        network="none" if isolation.network else "reachable",
        data_hash=data_hash,
        versions=(_versions(),),
    )


def attested(before: Attestation, sandbox: Sandbox) -> Attestation:
    """What can be said of a run that goes on in this sandbox: the weaker of both statements."""
    now = sandbox.isolation
    versions = dict.fromkeys([*before.versions, _versions()])
    update = {
        "isolation": before.isolation if before.answers_reachable else now,
        "answers_reachable": before.answers_reachable or now.answers_reachable,
        "network": before.network if now.network else "reachable",
        "weakened": before.weakened or _weaker(now, before.isolation),
        "versions": tuple(versions),
    }
    return before.model_copy(update=update)


def _weaker(now: Isolation, before: Isolation | None) -> bool:
    """Whether anything is kept apart no more that was."""
    parts = ("files", "network", "processes", "user")
    lost = before is not None and any(getattr(before, p) > getattr(now, p) for p in parts)
    first = before is not None and not before.answers_reachable
    return lost or (first and now.answers_reachable)


def _versions() -> str:
    return f"mlxlab {version('mlxlab')}, Python {platform.python_version()}"


def _feedback(wanted: Feedback | None, info: TaskInfo, scaffold: Component[Scaffold]) -> Feedback:
    feedback = wanted or ("public" if info.has_public else "self")
    if feedback == "public" and not info.has_public:
        raise UsageError(
            f"Task '{info.id}' has no public rows to score.", "Use --feedback self or none."
        )
    if feedback == "none" and scaffold.instance.needs_score:
        raise UsageError(
            f"Scaffold '{scaffold.ref.name}' chooses by score, and --feedback none gives none.",
            "Use --feedback public or self.",
        )
    return feedback
