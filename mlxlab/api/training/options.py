"""What a user asks for when a policy is to be trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mlxlab.core.errors import UsageError
from mlxlab.core.runs import list_runs
from mlxlab.core.spec import Spec
from mlxlab.core.trainer import FINAL, PolicyRef

TINY = "tiny"
"""The model that is made from nothing: a Qwen2 of under two million parameters."""
SEEDS = 1 << 32
_MODEL_FILES = ("config.json", "adapter_config.json")


@dataclass(frozen=True)
class TrainOptions:
    """A training's options; None takes the default that its line names.

    Args:
        runs: run folders, and folders of runs.
        trainer: the trainer's spec.
        model: where training begins: a model's folder, a training's, `local:FOLDER`, or `tiny`,
            with options of its own; None is `tiny`.
        rewards: the spec of the reward to train on.
        sandbox: the spec of the sandbox that actions run in.
        editor: the policy that carries out delegated edits; None: such edits fail.
        workers: executions at one time; None: one for each processor.
        exec_timeout_s: seconds of one execution; None: as each task says.
        cache: a folder of outcomes that several trainings share; None: `out/transitions`.
        seed: of every choice.
        out: the training's folder.
        tasks: only states of these tasks; None: of all.
        trust: whether actions are carried out on the tasks of runs that others recorded.
    """

    runs: tuple[Path, ...]
    out: Path
    trainer: str = "grpo"
    model: str | None = None
    rewards: str = "ml-agent"
    sandbox: str = "local"
    editor: str | None = None
    workers: int | None = None
    exec_timeout_s: float | None = None
    cache: Path | None = None
    seed: int = 0
    tasks: tuple[str, ...] | None = None
    trust: bool = False

    def with_steps(self, steps: int) -> str:
        """The trainer's spec with its `steps` option set."""
        spec = Spec.parse(self.trainer)
        return str(spec.model_copy(update={"options": {**spec.options, "steps": steps}}))


def checked_seed(seed: int) -> int:
    """A seed that the libraries of trainers take; raises UsageError for others."""
    if not 0 <= seed < SEEDS:
        raise UsageError(f"{seed} is no seed.", f"Take a number from 0 to {SEEDS - 1}.")
    return seed


def as_paths(runs: Sequence[Path | str] | Path | str) -> tuple[Path, ...]:
    """One folder or several, as paths."""
    return (Path(runs),) if isinstance(runs, str | Path) else tuple(Path(run) for run in runs)


_NAMED = "Name run folders, or folders of runs."
_DEEPER = ("*/*", "*/*/*")
"""Where the runs lie of a place that is above theirs, such as a stage of a pipeline."""


def run_folders(places: Sequence[Path]) -> list[Path]:
    """The run folders that are meant, each once: a folder of runs stands for all of them.

    Raises:
        UsageError: a place does not exist, or holds no run.
    """
    found: dict[Path, Path] = {}
    for place in places:
        for folder in _runs_in(place):
            found.setdefault(folder.resolve(), folder)
    return list(found.values())


def _runs_in(place: Path) -> list[Path]:
    if (place / "run.json").is_file():
        return [place]
    for root in (place, place / "runs"):  # a bench keeps its runs one folder below
        if runs := [run.path for run in list_runs(root)]:
            return runs
    what = "holds no runs" if place.is_dir() else "does not exist"
    deeper = next((run for depth in _DEEPER for run in place.glob(f"{depth}/run.json")), None)
    hint = f"Some lie in {deeper.parent.parent}." if deeper is not None else _NAMED
    raise UsageError(f"{place} {what}.", hint)


def base_of(model: str | None) -> PolicyRef:
    """Where training begins, as trainers take it.

    Raises:
        UsageError: there is no such model.
    """
    if model is None or Spec.parse(model).name == TINY:
        return PolicyRef(spec=model or TINY)
    spec = _local(model)
    folder = Path(spec.argument or "")
    if (folder / "train.json").is_file():
        spec = spec.model_copy(update={"argument": str(folder / FINAL)})
        folder = folder / FINAL
    if not folder.exists():
        raise UsageError(
            f"There is no model folder {folder}.",
            f"Name a folder in the form of Hugging Face, or {TINY}.",
        )
    if folder.is_dir() and not any((folder / name).is_file() for name in _MODEL_FILES):
        raise UsageError(
            f"{folder} is no model: it has no config.json.",
            "Name a folder in the form of Hugging Face.",
        )
    # Whole, so that a training can be taken up from another folder.
    return PolicyRef(spec=str(spec.model_copy(update={"argument": str(folder.resolve())})))


def _local(model: str) -> Spec:
    """A model's spec; a plain path stands for `local:PATH`."""
    if not Path(model).exists():
        spec = Spec.parse(model)
        if spec.name == "local" and spec.argument:
            return spec
    return Spec(name="local", argument=model)


def made_from_nothing(base: PolicyRef) -> bool:
    """Whether a base has never seen an answer, so that it must be shown some first."""
    return Spec.parse(base.spec).name == TINY
