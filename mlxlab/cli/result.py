"""What came of a run: its manifest joined with what people may see, as one object."""

from __future__ import annotations

import json
import shlex
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlxlab.api import Forecast, RunFolder, RunManifest
from mlxlab.core.errors import RecordError
from mlxlab.core.records import Completion, PrivateScore
from mlxlab.core.spellings import by_spec
from mlxlab.core.task import TaskInfo


@dataclass(frozen=True)
class Values:
    """A reward's mean over the steps that it had a value for; None: it had none for any."""

    mean: float | None
    steps: int
    of: int
    """Steps that it judged."""

    @classmethod
    def among(cls, values: list[float | None]) -> Values:
        """What comes of its values, step for step."""
        found = [value for value in values if value is not None]
        return cls(sum(found) / len(found) if found else None, len(found), len(values))


@dataclass(frozen=True)
class Result:
    """A run's outcome for people and scripts; `private` belongs to the selected step."""

    folder: Path
    manifest: RunManifest
    private: PrivateScore | None
    statuses: dict[str, int]
    rewards: dict[str, Values]
    dropped: int = 0
    """Steps whose state was not kept."""
    answers: int = 0
    reused: int = 0
    """Answers that were given in an earlier run."""
    notes: dict[str, int] = field(default_factory=dict)
    """What was noted of answers, without its details, with the number of answers."""

    @classmethod
    def of(cls, path: Path, private: bool = True) -> Result:
        """Read a run's folder, the private scores only if asked; raises RecordError."""
        folder = RunFolder(path)
        manifest = folder.manifest()
        best = manifest.best
        values: dict[str, list[float | None]] = defaultdict(list)
        steps = folder.steps()
        answers = _answers(folder)
        noted = Counter(kind for answer in answers for kind in {_kind(n) for n in answer.notes})
        for step in steps:
            for name, reward in by_spec(step.rewards, manifest.rewards).items():
                values[name].append(reward.value)
        return cls(
            folder=path,
            manifest=manifest,
            private=folder.private_scores().get(best.step) if best and private else None,
            statuses=dict(Counter(step.observation.status for step in steps).most_common()),
            rewards={name: Values.among(found) for name, found in values.items()},
            dropped=sum(step.state_dropped is not None for step in steps),
            answers=len(answers),
            reused=sum(answer.reused is not None for answer in answers),
            notes=dict(noted.most_common()),
        )

    @property
    def name(self) -> str:
        """The run as commands find it again: its id in the default place, else its path."""
        path = self.folder
        return shlex.quote(path.name if path.parent == Path("runs") else str(path))

    @property
    def gap_closed(self) -> float | None:
        """The share of the way from baseline to reference that the private score went."""
        return gap_closed(self.manifest.task, self.private.score if self.private else None)

    def as_dict(self) -> dict[str, Any]:
        """The object that `--json` prints."""
        m = self.manifest
        best = m.best
        found: dict[str, Any] = {
            "run_dir": str(self.folder),
            "run_id": m.run_id,
            "status": m.status,
            "task": m.task.id,
            "metric": {"name": m.task.metric.name, "direction": m.task.metric.direction},
            "steps": m.spent.steps,
            "seed": m.seed,
            "best": best
            and {
                "step": best.step,
                "public_score": best.public_score,
                "private_score": self.private.score if self.private else None,
            },
            "baseline": m.task.baseline,
            "reference": m.task.reference,
            "answers": self.answers,
            "reused_answers": self.reused,
            "cost_usd": m.spent.cost_usd,
            "wall_s": m.spent.wall_s,
            "spent": m.spent.model_dump(mode="json"),
        }
        return found | ({"error": m.error} if m.error else {})

    def as_json(self, forecast: Forecast | None = None) -> str:
        """The object as JSON in ASCII, safe in any encoding; with the forecast if there was one."""
        told = {"forecast": forecast.model_dump(mode="json")} if forecast else {}
        return json.dumps(self.as_dict() | told)


def _answers(folder: RunFolder) -> list[Completion]:
    """Every answer of a run; none where they cannot be read, since steps and scores can be."""
    try:
        calls = folder.calls()
    except RecordError:
        return []
    return [call.completion for call in calls if call.completion is not None]


def _kind(note: str) -> str:
    """What a note is about, without the details after its colon."""
    return note.partition(":")[0]


def gap_closed(task: TaskInfo, score: float | None) -> float | None:
    """How far a score is from baseline (0) to reference (1); None where one is not known."""
    if score is None or task.baseline is None or task.reference is None:
        return None
    gap = task.reference - task.baseline
    return (score - task.baseline) / gap if gap else None
