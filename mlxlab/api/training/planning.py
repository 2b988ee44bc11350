"""From a user's options to a training that can start; nothing is written."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from inspect import iscoroutine
from pathlib import Path

from mlxlab.api.training.folder import TrainFolder
from mlxlab.api.training.material import counted, material, used
from mlxlab.api.training.options import TrainOptions, base_of, checked_seed, made_from_nothing
from mlxlab.api.training.record import TrainManifest, differences
from mlxlab.core.alive import is_written
from mlxlab.core.boundary import SLOW, Boundary, whose
from mlxlab.core.clock import now
from mlxlab.core.components import made
from mlxlab.core.errors import RecordError, UsageError, broken
from mlxlab.core.policy import Policy
from mlxlab.core.registry import Component, Registry
from mlxlab.core.reward import Reward
from mlxlab.core.sandbox import Sandbox
from mlxlab.core.spec import Spec
from mlxlab.core.trainer import (
    FINAL,
    Continuing,
    Estimate,
    Estimating,
    Machine,
    PolicyRef,
    Trainer,
    TrainJob,
)
from mlxlab.core.training.examples import Corpus
from mlxlab.core.watch import watching

WARM_UP = "sft"
"""The folder, below a training's own, where a model made from nothing is taught first."""
TEACHER = "sft?steps=200&batch=16"
"""Who teaches it: passes enough to write a recipe's form, in minutes on one processor."""
_PACKAGES = ("torch", "transformers", "trl", "peft", "accelerate", "datasets", "vllm")


@dataclass(frozen=True)
class Parts:
    """The components of a training; those that carry actions out only where it does.

    Args:
        acting: whether the trainer takes actions.
        keeps_states: whether it takes several in a row.
        reward_name: under which the reward's values stand, here and in recorded steps.
    """

    trainer: Component[Trainer]
    acting: bool
    keeps_states: bool
    reward_name: str
    reward: Component[Reward] | None = None
    sandbox: Component[Sandbox] | None = None
    editor: Component[Policy] | None = None

    @classmethod
    def make(cls, options: TrainOptions, registry: Registry) -> Parts:
        """Make and check every component."""
        with watching():
            trainer = made(registry, "trainer", options.trainer)
            with Boundary(whose(trainer.ref), "its attributes"):
                acting = trainer.instance.needs_arena
                keeps = isinstance(trainer.instance, Continuing) and trainer.instance.keeps_states
            if not acting:
                return cls(trainer, acting, keeps, registry.spelled("reward", options.rewards))
            reward = made(registry, "reward", Spec.parse(options.rewards))
            return cls(
                trainer,
                acting,
                keeps,
                reward.ref.spec,
                reward,
                made(registry, "sandbox", options.sandbox),
                None if options.editor is None else made(registry, "policy", options.editor),
            )


@dataclass(frozen=True)
class TrainPlan:
    """A training that can start, or be taken up.

    Args:
        base: the model that this stage begins with.
        warm_up: the training that makes the base, where the user's model is made from nothing.
    """

    options: TrainOptions
    registry: Registry
    parts: Parts
    corpus: Corpus
    manifest: TrainManifest
    base: PolicyRef
    warm_up: TrainPlan | None = None

    @property
    def folder(self) -> Path:
        """Where it goes."""
        return self.options.out

    def estimates(self, machine: Machine) -> list[Estimate] | None:
        """What this stage takes on a machine; as `estimated`."""
        base = PolicyRef(spec=self.manifest.base) if self.warm_up else self.base
        return estimated(self.parts.trainer, replace(self.job(), base=base), machine)

    def job(self) -> TrainJob:
        """What the trainer is given, without those who listen."""
        return TrainJob(
            corpus=self.corpus,
            base=self.base,
            out=self.folder.absolute(),
            reward=self.parts.reward_name,
            seed=self.options.seed,
        )


def plan_training(options: TrainOptions, registry: Registry | None = None) -> TrainPlan:
    """Make and check everything that a training needs.

    Raises:
        UsageError: components, model and runs do not go together, or nothing is to be learned.
        RecordError: the folder holds what cannot be read.
    """
    found = registry or Registry.installed()
    checked_seed(options.seed)
    base = base_of(options.model)
    parts = Parts.make(options, found)
    corpus = material(options, parts.acting)
    if not (parts.acting and made_from_nothing(base)):
        return _plan(options, found, parts, corpus, base)
    below = replace(options, trainer=TEACHER, model=base.spec)
    first = _plan(below, found, Parts.make(below, found), corpus, base)
    whole = _plan(options, found, parts, corpus, base)
    return placed(replace(whole, warm_up=first), options.out)


def estimated(
    trainer: Component[Trainer], job: TrainJob, machine: Machine
) -> list[Estimate] | None:
    """What a trainer says that a job takes on a machine; None where it cannot tell.

    Raises:
        PluginError: it fails, or returns something else.
    """
    who = whose(trainer.ref)
    with watching(), Boundary(who, "estimate", times=SLOW):
        if not isinstance(trainer.instance, Estimating):
            return None
        found: object = trainer.instance.estimate(job, machine)
    if iscoroutine(found):
        found.close()
        raise broken(who, "estimate", "is async", "Write def estimate(...).")
    if not isinstance(found, list | tuple):
        raise broken(who, "estimate", f"returned {type(found).__name__}, no list of Estimate")
    if wrong := next((each for each in found if not isinstance(each, Estimate)), None):
        raise broken(who, "estimate", f"returned a {type(wrong).__name__} as an Estimate")
    return list(found)


def placed(plan: TrainPlan, out: Path) -> TrainPlan:
    """The same training in another folder."""
    moved = replace(
        plan,
        options=replace(plan.options, out=out),
        manifest=plan.manifest.model_copy(
            update={"training": out.name, "warm_up": WARM_UP if plan.warm_up else None}
        ),
    )
    if plan.warm_up is None:
        return moved
    below = out / WARM_UP
    taught = PolicyRef(spec=str(Spec(name="local", argument=str(below / FINAL))))
    return replace(moved, base=taught, warm_up=placed(plan.warm_up, below))


def unfinished(plan: TrainPlan, root: Path) -> Path | None:
    """The newest training below `root` that is this one, not done, and that nobody writes now."""
    for place in sorted(root.glob("*/train.json"), reverse=True):
        folder = TrainFolder(place.parent)
        try:
            before = folder.manifest()
        except RecordError:
            continue
        same = before.status != "done" and not differences(before, plan.manifest)
        if same and folder.kept and not is_written(folder.path):
            return folder.path
    return None


def options_of(folder: Path) -> TrainOptions:
    """The options that a recorded training was begun with.

    Raises:
        RecordError: there is no training.
        UsageError: somebody else made it.
    """
    manifest = TrainFolder(folder).manifest()
    if not manifest.own:
        raise UsageError(
            f"{folder} was made elsewhere; its components could send your keys to a stranger.",
            f"Say what to train: mlx train RUNS --trainer SPEC --out {folder}",
        )
    if gone := [run.path for run in manifest.runs if not (Path(run.path) / "run.json").is_file()]:
        raise RecordError(f"The run {gone[0]}, which {folder} learns from, is gone.")
    reward, sandbox, editor = manifest.reward, manifest.sandbox, manifest.editor
    return TrainOptions(
        runs=tuple(Path(run.path) for run in manifest.runs),
        out=folder,
        trainer=manifest.trainer.spec,
        model=manifest.base,
        rewards=reward.spec if reward else "ml-agent",
        sandbox=sandbox.spec if sandbox else "local",
        editor=editor.spec if editor else None,
        workers=manifest.workers,
        exec_timeout_s=manifest.exec_timeout_s,
        cache=Path(manifest.cache) if manifest.cache else None,
        seed=manifest.seed,
        tasks=manifest.tasks,
        trust=manifest.trusted,
    )


def _plan(
    options: TrainOptions, registry: Registry, parts: Parts, corpus: Corpus, base: PolicyRef
) -> TrainPlan:
    manifest = TrainManifest(
        training=options.out.name,
        created_at=now(),
        mlxlab=version("mlxlab"),
        python=platform.python_version(),
        packages=dict(_packages()),
        trainer=parts.trainer.ref,
        base=base.spec,
        runs=used(corpus),
        corpus=counted(corpus),
        reward=parts.reward and parts.reward.ref,
        sandbox=parts.sandbox and parts.sandbox.ref,
        editor=parts.editor and parts.editor.ref,
        seed=options.seed,
        workers=options.workers,
        exec_timeout_s=options.exec_timeout_s,
        tasks=options.tasks,
        trusted=options.trust,
        cache=None if options.cache is None else str(options.cache.resolve()),
    )
    return TrainPlan(options, registry, parts, corpus, manifest, base)


def _packages() -> Iterator[tuple[str, str]]:
    for name in _PACKAGES:
        try:
            yield name, version(name)
        except PackageNotFoundError:
            continue
