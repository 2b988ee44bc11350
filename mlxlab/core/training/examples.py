"""Recorded runs, read as training material; what cannot be used is counted, with the reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mlxlab.core.actions import Action
from mlxlab.core.errors import MlxError
from mlxlab.core.manifest import RunManifest
from mlxlab.core.origin import recorded_here
from mlxlab.core.records import CLEAN, Message, Status, Step
from mlxlab.core.runs import RunFolder
from mlxlab.core.spellings import by_spec
from mlxlab.core.training.states import State


@dataclass(frozen=True)
class Example:
    """One recorded step: a state, and what was answered there.

    Args:
        state: where the answer was given: task, decision, prompt, workspace.
        prompt: the reference of the messages that `text` answers: after repairs, the last ones.
        text: the completion without its reasoning.
        reasoning: the thinking apart from it; None where none was told.
        action: None where the answer held none.
        status: how the step ended.
        score: the public score after the step, a probe's included.
        improved: whether that is better than the state's own score, or the first one.
        rewards: the recorded values by name.
    """

    state: State
    prompt: str | None
    text: str
    reasoning: str | None
    action: Action | None
    status: Status
    score: float | None
    improved: bool
    rewards: Mapping[str, float | None]

    def messages(self) -> list[Message]:
        """The messages that `text` answers."""
        if self.prompt is None or self.state.folder is None:
            return self.state.messages()
        return RunFolder(self.state.folder).prompt(self.prompt)


@dataclass(frozen=True)
class Corpus:
    """The examples of some runs, and what was left out.

    Args:
        examples: the recorded steps that can be learned from.
        runs: the folders that examples come from.
        skipped: one line for each run or kind of step that could not be used.
    """

    examples: tuple[Example, ...]
    runs: tuple[Path, ...] = ()
    skipped: tuple[str, ...] = field(default=())


def gather(folders: Iterable[Path]) -> Corpus:
    """Read recorded runs; one that cannot be read is left out and told."""
    examples: list[Example] = []
    used: list[Path] = []
    skipped: list[str] = []
    for folder in folders:
        try:
            found, pruned = _examples(folder)
        except MlxError as error:
            skipped.append(str(error))
            continue
        used.append(folder)
        examples += found
        skipped += [
            f"{folder.name}: {count} {'step' if count == 1 else 'steps'} left out: {why}."
            for why, count in pruned.items()
        ]
    return Corpus(tuple(examples), tuple(used), tuple(skipped))


def _examples(folder: Path) -> tuple[list[Example], Counter[str]]:
    run = RunFolder(folder)
    manifest = run.manifest()
    own = recorded_here(manifest)
    found: list[Example] = []
    left_out: Counter[str] = Counter()
    for step in run.steps():
        if step.completion is None:
            left_out["they hold no completion"] += 1
        elif not _restorable(folder, step.decision.start):
            left_out["their state was pruned"] += 1
        else:
            found.append(_example(folder, manifest, step, own))
    return found, left_out


def _restorable(folder: Path, state: str) -> bool:
    """Whether a state's own file is there; its contents are checked when it is restored."""
    return state == CLEAN or (folder / "states" / f"{state}.json").is_file()


def _example(folder: Path, manifest: RunManifest, step: Step, own: bool) -> Example:
    assert step.completion is not None
    score = step.observation.public_score
    if step.probe is not None and step.probe.status == "ok":
        score = step.probe.score
    before = step.decision.score
    better = score is not None and (before is None or manifest.task.metric.better(score, before))
    rewards = by_spec(step.rewards, manifest.rewards)
    state = State(
        id=f"{manifest.run_id}/{step.step}",
        task=manifest.components["task"].spec,
        info=manifest.task,
        decision=step.decision,
        folder=folder,
        store=folder / "states",
        own=own,
    )
    return Example(
        state=state,
        prompt=step.prompt,
        text=step.completion.text,
        reasoning=step.completion.reasoning,
        action=step.action,
        status=step.observation.status,
        score=score,
        improved=better,
        rewards={name: value.value for name, value in rewards.items()},
    )
