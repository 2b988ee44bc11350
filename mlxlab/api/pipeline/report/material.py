"""Everything that a report tells of, read from the pipeline's folder."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from mlxlab.api.evaluating import FILE, Evaluation
from mlxlab.api.pipeline.record import StageRecord
from mlxlab.api.pipeline.work import Work
from mlxlab.core.errors import RecordError
from mlxlab.core.manifest import RunManifest
from mlxlab.core.runs import RunFolder
from mlxlab.core.spec import Spec
from mlxlab.core.trainer import TrainProgress


@dataclass(frozen=True)
class Arm:
    """A training that is reported.

    Args:
        reward: the spec of the reward that it was trained with; fine-tuning reads none.
        own: the share of states from its own episodes.
    """

    name: str
    kind: str
    record: StageRecord
    steps: list[TrainProgress]
    reward: str = ""
    own: float = 0.0

    def series(self, figure: str) -> tuple[list[int], list[float]]:
        """The optimizer steps that have a figure, and its values."""
        found = [(s.step, s.figures[figure]) for s in self.steps if figure in s.figures]
        return [step for step, _ in found], [value for _, value in found]


@dataclass(frozen=True)
class Material:
    """What a report is made of; the report's own folder is `out`."""

    work: Work
    out: Path
    stages: dict[str, StageRecord]
    arms: list[Arm] = field(default_factory=list)
    evaluation: Evaluation | None = None
    runs: list[RunManifest] = field(default_factory=list)


def gathered(work: Work, stages: list[str]) -> Material:
    """Read what the stages before the report have left."""
    records = {name: found for name in stages if (found := work.folder.stage(name)) is not None}
    return Material(
        work=work,
        out=work.folder.of("report"),
        stages=records,
        arms=_arms(work, records),
        evaluation=_evaluation(work),
        runs=_runs(work, records),
    )


def _arms(work: Work, records: dict[str, StageRecord]) -> list[Arm]:
    from mlxlab.api.training import TrainFolder

    tables = [("sft", each) for each in work.spec.sft] + [("rl", each) for each in work.spec.rl]
    return [
        Arm(
            name=each.name,
            kind=kind,
            record=records[each.name],
            steps=TrainFolder(work.folder.of(each.name)).progress(),
            reward=each.reward or work.spec.reward,
            own=float(Spec.parse(each.trainer).options.get("own", 0.0)),
        )
        for kind, each in tables
        if each.name in records
    ]


def _evaluation(work: Work) -> Evaluation | None:
    try:
        return Evaluation.model_validate_json((work.folder.of("evaluate") / FILE).read_bytes())
    except OSError:
        return None


def _runs(work: Work, records: dict[str, StageRecord]) -> list[RunManifest]:
    found = []
    for record in records.values():
        for run in (*record.result.get("runs", ()), *record.result.get("held_back", ())):
            try:
                found.append(RunFolder(work.path(run)).manifest())
            except RecordError:
                continue
    return found
