"""What a report says, block by block."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from mlxlab.api.evaluating import HELD_IN, HELD_OUT, Evaluation, Subject
from mlxlab.api.evaluating.record import Mean
from mlxlab.api.pipeline.report import bars, beside, curves
from mlxlab.api.pipeline.report.blocks import Block, Heading, Lines, Paragraph, Picture, Table
from mlxlab.api.pipeline.report.material import Arm, Material
from mlxlab.api.pipeline.training import totals

_SINGLES = {
    "reward": "reward",
    "v1": "ml-agent v1",
    "v2": "ml-agent v2",
    "improvement": "improved",
    "valid": "valid",
    "unique": "distinct",
}


def content(material: Material) -> Iterator[Block]:
    """The whole report; pictures are drawn as they are come to."""
    spec = material.work.spec
    yield Heading(f"Pipeline {spec.name}, seed {spec.seed}", 1)
    if spec.note:
        yield Paragraph(spec.note)
    yield Lines(list(_overview(material)))
    if material.evaluation is not None:
        yield from _evaluated(material, material.evaluation)
    yield from _trained(material)
    yield from _times(material)
    yield from _record(material)


def _overview(material: Material) -> Iterator[str]:
    work, spec = material.work, material.work.spec
    steps = sum(run.spent.steps for run in material.runs)
    yield f"Trained on {len(work.tasks)} tasks, {len(work.held_out)} held out."
    yield f"Collected: {len(material.runs)} runs, {steps} steps, with the scaffold {spec.scaffold}."
    if (found := material.stages.get("explore")) is not None:
        result = found.result
        before, after = result.get("diversity_before"), result.get("diversity_after")
        if before is not None and after is not None:
            yield (
                f"Exploration: mean distance of two ideas {before:.3f} before the selection, "
                f"{after:.3f} after it ({result.get('embedder')})."
            )
    arms = [arm for arm in material.arms if arm.kind == "rl"]
    if arms:
        rewards = "; ".join(f"{arm.name}: {arm.reward}" for arm in arms)
        yield f"Rewards trained with: {rewards}."
    if material.evaluation is not None:
        yield f"Reward that single actions are judged by: {material.evaluation.reward}."
    yield f"Model: {spec.model}."


def _evaluated(material: Material, evaluation: Evaluation) -> Iterator[Block]:
    yield Heading("Single actions")
    yield Paragraph(
        "A fixed sample of recorded states, the same for every policy; each samples several "
        "actions at each state, and all of them are carried out. Held-in states are of training "
        "tasks, from trajectories that nothing was trained on. Intervals (95 %, in brackets) are "
        "over tasks and states by bootstrap. 'random valid' is the exact mean over every listed "
        "action, 'best constant' the one action for each type of task that is best on training "
        "tasks, 'ceiling' the best action of each state."
    )
    path = material.out / "single_actions.png"
    bars.single_actions(path, evaluation)
    yield Picture(path, "Mean reward and improvement rate of single actions, with 95 % intervals.")
    for part in (HELD_IN, HELD_OUT):
        yield _singles(evaluation, part)
    yield Heading("Episodes")
    yield Paragraph(
        "Whole episodes from the starting solution. What is handed in is chosen by public score, "
        f"what is reported is its private score. {evaluation.scale}. Where nothing beats the "
        "starting solution in public, that one is handed in. 'best constant' spends one execution "
        "a task, 'ceiling' and 'best by public score' spend the whole grid; all others spend at "
        "most one a step."
    )
    path = material.out / "episodes.png"
    bars.closed_loop(path, evaluation)
    yield Picture(path, "Best score so far after each step; shaded: 95 % intervals.")
    for part in (HELD_IN, HELD_OUT):
        yield _loops(evaluation, part)
    if swapped := list(_swaps(evaluation)):
        yield Heading("Whether descriptions are read")
        head = ("policy", "own description", "another task's", "drop")
        caption = "Reward with another task's description and features: who reads them loses by it."
        yield Table(head, swapped, caption)
    if evaluation.notes:
        yield Lines(evaluation.notes)


def _singles(evaluation: Evaluation, part: str) -> Table:
    rows = []
    for subject in evaluation.subjects:
        if (singles := subject.singles.get(part)) is None:
            continue
        figures = [interval(singles.figures.get(name)) for name in _SINGLES]
        rows.append([_named(subject), *figures])
    states, tasks = evaluation.states.get(part, 0), _tasks(evaluation, part)
    return Table(
        (part, *_SINGLES.values()),
        rows,
        f"{states} states of {tasks} tasks; reward: {evaluation.reward}.",
    )


def _tasks(evaluation: Evaluation, part: str) -> int:
    counts = [
        mean.tasks
        for subject in evaluation.subjects
        if part in subject.singles
        for mean in subject.singles[part].figures.values()
    ]
    return max(counts, default=0)


def _loops(evaluation: Evaluation, part: str) -> Table:
    steps = max((len(s.loops[part].curve) for s in evaluation.subjects if part in s.loops),
                default=0)  # fmt: skip
    rows = []
    for subject in evaluation.subjects:
        if (loops := subject.loops.get(part)) is None or not loops.curve:
            continue
        curve = [f"{mean.mean:.3f}" for mean in loops.curve[:-1]]
        counts = [loops.figures.get(name) for name in ("executions", "repeats")]
        told = ["-" if mean is None else f"{mean.mean:.1f}" for mean in counts]
        rows.append([_named(subject), *curve, interval(loops.curve[-1]), *told])
    head = (part, *(f"after {n}" for n in range(1, steps + 1)), "programs run", "repeats")
    played = max((s.loops[part].episodes for s in evaluation.subjects if part in s.loops),
                 default=0)  # fmt: skip
    tasks = len(evaluation.tasks.get(part, ()))
    return Table(head, rows, f"{played} episodes on {tasks} tasks; counts are an episode's.")


def _swaps(evaluation: Evaluation) -> Iterator[list[str]]:
    for subject in evaluation.subjects:
        if (swap := subject.swap) is not None:
            yield [subject.name, *(interval(mean) for mean in (swap.own, swap.swapped, swap.drop))]


def _named(subject: Subject) -> str:
    return subject.name if subject.kind == "policy" else f"{subject.name} (line)"


def interval(mean: Mean | None) -> str:
    """A mean with its interval."""
    if mean is None:
        return "-"
    if mean.low is None or mean.high is None:
        return f"{mean.mean:.3f}"
    return f"{mean.mean:.3f} [{mean.low:.3f}, {mean.high:.3f}]"


def _trained(material: Material) -> Iterator[Block]:
    arms = [arm for arm in material.arms if arm.kind == "rl"]
    if not arms:
        return
    yield Heading("Reinforcement learning")
    path = material.out / "training.png"
    curves.training_curves(path, arms, material.evaluation)
    caption = "By optimizer step: thin the step's own mean, thick the mean of ten."
    yield Picture(path, f"{caption} {beside.told(arms, material.evaluation)}".strip())
    yield _first_and_last(arms)


def _first_and_last(arms: Sequence[Arm]) -> Table:
    rows = []
    for arm in arms:
        for name in curves.PANELS:
            _, values = arm.series(name)
            if values:
                size = max(1, min(10, len(values) // 2))
                first, last = values[:size], values[-size:]
                rows.append([f"{arm.name}: {name}", f"{sum(first) / len(first):.3f}",
                             f"{sum(last) / len(last):.3f}", str(len(values))])  # fmt: skip
    return Table(("figure", "first steps", "last steps", "steps"), rows,
                 "Means of the first and of the last ten optimizer steps.")  # fmt: skip


def _times(material: Material) -> Iterator[Block]:
    yield Heading("Time, executions and the cache")
    stages = {name: record.seconds for name, record in material.stages.items() if name != "report"}
    path = material.out / "seconds.png"
    curves.seconds(path, [arm for arm in material.arms if arm.kind == "rl"], stages)
    yield Picture(path, "Where the time went.")
    yield Table(
        ("training", "steps", "actions", "executed", "from the cache", "hit rate", "engine failed",
         "executing, s of all cores", "wall, s"),
        [_spent(arm) for arm in material.arms],
        "Executed: programs that ran in the sandbox; equal actions from equal states run once.",
    )  # fmt: skip
    if material.evaluation is not None:
        rows = [[s.name, str(s.executed), str(s.cached), f"{s.seconds:.0f}"]
                for s in material.evaluation.subjects if s.executed or s.cached]  # fmt: skip
        yield Table(("evaluation", "executed", "from the cache", "wall, s"), rows)


def _spent(arm: Arm) -> list[str]:
    sums = totals([step.figures for step in arm.steps])
    ran, known = sums.get("executed", 0.0), sums.get("cached", 0.0)
    rate = f"{known / (ran + known):.2f}" if ran + known else "-"
    counts = [f"{sums[name]:.0f}" if name in sums else "-" for name in ("actions",)]
    return [arm.name, str(len(arm.steps)), *counts, f"{ran:.0f}", f"{known:.0f}", rate,
            f"{sums.get('failed', 0.0):.0f}", f"{sums.get('execution_s', 0.0):.0f}",
            f"{arm.record.seconds:.0f}"]  # fmt: skip


def _record(material: Material) -> Iterator[Block]:
    yield Heading("What was not reached, and what this rests on")
    yield Lines(list(_unreached(material)) or ["Every stage was done to its end."])
    yield Lines(list(_attested(material)))


def _unreached(material: Material) -> Iterator[str]:
    for name, record in material.stages.items():
        if record.status != "done" and name != "report":
            yield f"{name}: {record.status}{f': {record.error}' if record.error else ''}."
        yield from (f"{name}: {note}" for note in record.notes)
    unfinished = Counter(run.status for run in material.runs if run.status != "done")
    yield from (f"{count} collected runs are {status}." for status, count in unfinished.items())
    if material.evaluation is None:
        yield "Nothing was evaluated."
        return
    for subject in material.evaluation.subjects:
        failed = sum(singles.failed for singles in subject.singles.values())
        failed += sum(loops.failed for loops in subject.loops.values())
        if failed:
            yield f"{subject.name}: {failed} actions or episodes have no outcome."


def _attested(material: Material) -> Iterator[str]:
    signals = Counter(signal for run in material.runs for signal in run.attestation.signals)
    if signals:
        yield f"Signals that reached the experts: {', '.join(sorted(signals))}."
    exposed = sum(run.attestation.answers_reachable for run in material.runs)
    yield f"Runs whose sandbox could reach answers: {exposed} of {len(material.runs)}."
    yield "Private scores were read for this report alone; rewards and selection use public ones."
    record = material.work.folder.pipeline()
    packages = ", ".join(f"{name} {found}" for name, found in record.packages.items())
    yield f"mlxlab {record.mlxlab}, Python {record.python}, {record.cores} cores; {packages}."
    tasks = material.work
    yield f"Training tasks: {', '.join(tasks.tasks)}."
    yield f"Held-out tasks: {', '.join(tasks.held_out) or 'none'}."
