"""What is printed of a pipeline that ended."""

from __future__ import annotations

from mlxlab.api.evaluating import FILE, HELD_IN, HELD_OUT, Evaluation, Subject
from mlxlab.api.pipeline import Done, Plan
from mlxlab.cli.table import Column, print_table
from mlxlab.cli.text import count, duration, plain


def print_summary(plan: Plan, done: Done) -> None:
    """A line for each policy and reference line, then where the report is."""
    evaluation = _evaluation(plan)
    if evaluation is not None:
        columns = [
            Column("policy"),
            *(Column(f"{what} {part}", right=True, spare=spare)
              for what, spare in (("reward", 0), ("improved", 1), ("best", 0))
              for part in (HELD_IN, HELD_OUT)),
        ]  # fmt: skip
        print_table(columns, [_row(subject) for subject in evaluation.subjects])
    named = count(len(done.stages), "stage")
    print(f"{named} in {duration(done.seconds)}, in {plain(str(plan.folder))}")
    if done.report is not None:
        print(f"Report: {plain(str(done.report))}")


def as_object(plan: Plan, done: Done) -> dict[str, object]:
    """What --json prints."""
    evaluation = _evaluation(plan)
    return {
        "pipeline": plan.work.spec.name,
        "pipeline_dir": str(plan.folder),
        "seed": plan.work.spec.seed,
        "stages": {
            name: {"status": record.status, "seconds": record.seconds, "result": record.result}
            for name, record in done.stages.items()
        },
        "evaluation": None if evaluation is None else evaluation.model_dump(mode="json"),
        "report": None if done.report is None else str(done.report),
    }


def _evaluation(plan: Plan) -> Evaluation | None:
    path = plan.work.folder.of("evaluate") / FILE
    return Evaluation.model_validate_json(path.read_bytes()) if path.is_file() else None


def _row(subject: Subject) -> list[str]:
    cells = [plain(subject.name) + ("" if subject.kind == "policy" else " (line)")]
    for name in ("reward", "improvement"):
        for part in (HELD_IN, HELD_OUT):
            singles = subject.singles.get(part)
            mean = singles.figures.get(name) if singles is not None else None
            cells.append("-" if mean is None else f"{mean.mean:.3f}")
    for part in (HELD_IN, HELD_OUT):
        loops = subject.loops.get(part)
        cells.append(f"{loops.curve[-1].mean:.3f}" if loops is not None and loops.curve else "-")
    return cells
