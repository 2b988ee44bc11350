"""The stage that measures what was trained, beside the lines that it has to beat."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from mlxlab.api.evaluating import HELD_IN, HELD_OUT, Measuring, Part, evaluate
from mlxlab.api.pipeline.gathering import stage_name
from mlxlab.api.pipeline.work import Result, Work
from mlxlab.core.spec import Spec
from mlxlab.core.training.examples import gather
from mlxlab.core.training.states import State


def evaluate_stage(work: Work) -> Result:
    """Every trained policy, the untrained model, and what the file names."""
    spec, table = work.spec, work.spec.evaluate
    assert table is not None
    out = work.folder.of("evaluate")
    tasks = spread(work.tasks, table.held_in_tasks)
    training = states(work, "train", "runs", tasks)
    held_in = states(work, "train", "held_back", tasks)
    if not held_in:
        work.note("Nothing was held back: held-in states are ones that were trained on.")
    options = Measuring(**{name: getattr(table, name) for name in Measuring.model_fields})
    asked = dict(policies(work))
    found = evaluate(
        asked,
        parts=(
            Part(HELD_IN, tuple(held_in or training), tasks),
            Part(HELD_OUT, tuple(states(work, "held-out", "runs", None)), work.held_out),
        ),
        training=training,
        scaffold=spec.scaffold,
        out=out,
        reward=spec.reward,
        options=options,
        sandbox=spec.sandbox,
        editor=spec.editor,
        workers=work.workers,
        exec_timeout_s=spec.exec_timeout,
        cache=work.cache,
        seed=spec.seed,
        tell=work.watch.count,
    )
    if lost := ", ".join(name for name in asked if found.subject(name) is None):
        work.note(
            f"Not measured, see the notes of the evaluation: {lost}. "
            "`--only evaluate` measures what is missing, `--only report` reports it."
        )
    return {"folder": work.folder.relative(out), "subjects": [s.name for s in found.subjects]}


def spread(tasks: Sequence[str], number: int) -> tuple[str, ...]:
    """So many of the tasks at even distances: neighbours are of one family."""
    if number >= len(tasks):
        return tuple(tasks)
    return tuple(tasks[place * len(tasks) // number] for place in range(number))


def policies(work: Work) -> Iterator[tuple[str, str]]:
    """The policies to measure, by name: untrained, then in the order of their training."""
    spec, table = work.spec, work.spec.evaluate
    assert table is not None
    trained = [each.name for each in (*spec.sft, *spec.rl)]
    if table.base:
        yield from _base(work, trained)
    for name in trained:
        yield name, _local(work, work.result(name)["policy"])
    yield from table.policies.items()


def _base(work: Work, trained: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The untrained model: the folder that was named, or the one that the first stage made."""
    model = Spec.parse(work.spec.model)
    if model.name == "tiny":
        made = (work.result(name).get("base") for name in trained)
        if (folder := next(filter(None, made), None)) is not None:
            yield "base", _local(work, folder)
    else:
        argument = model.argument if model.name == "local" else work.spec.model
        yield "base", _local(work, argument or work.spec.model)


def _local(work: Work, folder: str) -> str:
    assert work.spec.evaluate is not None
    sampling = work.spec.evaluate.sampling
    place = Spec(name="local", argument=str(work.path(folder).resolve()))
    return f"{place}?{sampling}" if sampling else str(place)


def states(work: Work, part: str, which: str, tasks: Iterable[str] | None) -> list[State]:
    """Recorded states of collected runs: of some tasks, or of all."""
    wanted = None if tasks is None else set(tasks)
    tables = [table for table in work.spec.collect if table.part == part]
    folders = [work.path(run) for table in tables for run in work.result(stage_name(table))[which]]
    found = [example.state for example in gather(folders).examples]
    return [state for state in found if wanted is None or state.task in wanted]
