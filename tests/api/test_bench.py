"""What a grid may say, the cells that it stands for, whose fault a failure is, how long is left."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

import mlxlab
from mlxlab.api.bench.cells import Cell, cells_of
from mlxlab.api.bench.grid import grid_of, read_grid
from mlxlab.api.bench.outcomes import failed_by, may_help
from mlxlab.api.bench.record import Event
from mlxlab.api.bench.state import Current, State
from mlxlab.core.errors import (
    MlxError,
    PluginError,
    PolicyError,
    RecordError,
    SandboxError,
    SandboxUnavailable,
    TaskError,
    UsageError,
)
from mlxlab.core.registry import Registry

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("tasks = [", "grid.toml is no TOML: "),
        ('task = ["temperature"]', "grid.toml has no key 'task'. Did you mean 'tasks'?"),
        ('tasks = "temperature"', "grid.toml: tasks: Input should be a list."),
        ("tasks = [1]", "tasks.0: Input should be a valid string."),
        ("seeds = 3", "grid.toml: it names neither tasks nor a suite."),
        ('tasks = ["a"]\nseeds = 0', "seeds: 0 is no number of seeds."),
        ('tasks = ["a"]\nseeds = []', "it has no seed."),
        ('tasks = ["a"]\nsteps = "6"', "steps: Input should be a valid integer."),
        ('tasks = ["a"]\nsteps = true', "steps: Input should be a valid integer."),
        ('tasks = ["a"]\ntime = -1', "time: Input should be greater than 0, not -1."),
        ('tasks = ["a"]\ntime = nan', "time: Input should be "),
        ('tasks = ["a"]\nfeedback = "all"', "'all' is not 'public', 'self', 'none' or 'private'."),
        ('tasks = ["a"]\npart = "train"', "'part' is of a suite, and none is named."),
        ('tasks = ["a"]\n[budget]\nmaxcost = 1', "[budget] has no key 'maxcost'. Did you mean"),
        ('tasks = ["a"]\n[[arms]]\nsteps = 1', "arms.0.name: it is missing."),
        ('tasks = ["a"]\n[[arms]]\nname = "x"\npolicies = ["b"]', "[arms] has no key 'policies'"),
        ('tasks = ["a"]\n[[arms]]\nname = "x"\n[[arms]]\nname = "x"', "two arms are called 'x'."),
    ],
)
def test_a_wrong_grid_is_one_line_with_the_place(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "grid.toml"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        read_grid(path)
    assert told in str(caught.value)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_a_grid_in_no_utf8_is_told(tmp_path: Path) -> None:
    path = tmp_path / "grid.toml"
    path.write_bytes(b'tasks = ["\xff"]')
    with pytest.raises(UsageError, match="is no TOML, which is text in UTF-8"):
        read_grid(path)


def cells(**tables: object) -> tuple[Cell, ...]:
    return cells_of(grid_of(tables, "grid"), Registry.installed())


def test_cells_go_through_all_arms_and_tasks_of_a_seed_first() -> None:
    found = cells(tasks=["flights", "mnist"], scaffolds=["aide", "linear"], seeds=2)
    assert [(c.seed, c.task, c.arm) for c in found[:5]] == [
        (0, "flights", "aide"), (0, "flights", "linear"), (0, "mnist", "aide"),
        (0, "mnist", "linear"), (1, "flights", "aide"),
    ]  # fmt: skip
    assert len(found) == len({cell.id for cell in found}) == 8


def test_an_id_is_of_what_a_cell_is_made_of_and_not_of_its_name() -> None:
    (plain,) = cells(tasks=["flights"], seeds=[3], steps=6)
    (named,) = cells(
        tasks=["flights"], seeds=[3], arms=[{"name": "mine", "scaffold": "aide", "steps": 6}]
    )
    assert plain.id == named.id == "46cf8e5d66f3"
    assert named.arm == "mine"
    for change in ({"steps": 7}, {"seeds": [4]}, {"rewards": ["valid"]}, {"feedback": "self"}):
        (other,) = cells(**{"tasks": ["flights"], "seeds": [3], "steps": 6, **change})
        assert other.id != plain.id
    with pytest.raises(UsageError, match="The arms 'aide' and 'mine' are the same"):
        cells(tasks=["flights"], scaffolds=["aide"], arms=[{"name": "mine", "scaffold": "aide"}])


def test_arms_are_named_by_what_differs() -> None:
    both = cells(tasks=["flights"], scaffolds=["aide", "linear"], policies=["catalog", "x"])
    assert [cell.arm for cell in both] == ["aide, catalog", "aide, x", "linear, catalog",
                                           "linear, x"]  # fmt: skip
    assert [cell.arm for cell in cells(tasks=["flights"], policies=["catalog", "x"])] == [
        "catalog",
        "x",
    ]


def test_the_committed_grid_is_the_acceptance() -> None:
    grid = read_grid(ROOT / "benchmarks" / "grids" / "builtin.toml")
    found = cells_of(grid, Registry.installed())
    tasks = {cell.task for cell in found}
    assert len(found) == len(tasks) * 2 * 3
    assert {cell.steps for cell in found} == {6}
    assert {cell.policy for cell in found} == {"catalog"}
    assert {cell.scaffold for cell in found} == {"aide", "linear"}


@pytest.mark.parametrize(
    ("error", "outcome", "tried_again"),
    [
        (SandboxError("the engine is gone"), "outage", True),
        (PolicyError("overloaded", retryable=True), "outage", True),
        (OSError(28, "no space left"), "outage", True),
        (RecordError("it cannot be written"), "outage", True),
        (PolicyError("the key is refused"), "outage", False),
        (SandboxUnavailable("no namespaces"), "failed", False),
        (PluginError("the scaffold failed"), "failed", False),
        (TaskError("no answers"), "failed", False),
        (UsageError("no such option"), "failed", False),
        (MlxError("anything else"), "failed", False),
        (ValueError("a bug"), "failed", False),
    ],
)
def test_only_an_outage_is_tried_again(error: Exception, outcome: str, tried_again: bool) -> None:
    assert (failed_by(error), may_help(error)) == (outcome, tried_again)


def test_what_is_left_is_told_from_cells_that_are_alike() -> None:
    found = cells(tasks=["flights", "mnist"], scaffolds=["aide", "linear"], seeds=2)
    state = State(found, workers=2)
    assert state.left_s() is None
    first = {(cell.task, cell.arm): cell for cell in found if cell.seed == 0}
    for seconds, cell in zip((10, 20, 100, 200), first.values(), strict=True):
        times = {"started": 7.0, "done": 7.0 + seconds}  # of the bench, without pauses
        state.learn(
            Event(cell=cell.id, attempt=1, event=event, at=datetime.now(UTC), elapsed_s=elapsed_s)
            for event, elapsed_s in times.items()
        )
        state.outcomes[cell.id] = "done"
    # 10 + 20 + 100 + 200 seconds once more, by two workers; the longest alone takes 200.
    assert state.left_s() == pytest.approx(200)
    state.outcomes[found[-1].id] = "done"
    assert state.left_s() == pytest.approx(100)
    state.current[0] = Current(found[-2], attempt=1, of=6, since=-1e9)
    assert state.left_s() == pytest.approx((10 + 20 + 10) / 2)


def test_wrong_arguments_from_python_are_usage_errors(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="max_cost: Input should be greater than 0"):
        mlxlab.bench({"tasks": ["toy"]}, max_cost=-1.0, out=tmp_path)
    with pytest.raises(UsageError, match="workers=0 is no whole number of 1 or more"):
        mlxlab.bench({"tasks": ["toy"]}, workers=0, out=tmp_path)
    with pytest.raises(UsageError, match="There is no grid"):
        mlxlab.bench()
    with pytest.raises(UsageError, match="temprature, aide, seed 0: There is no task"):
        mlxlab.bench({"tasks": ["temprature"]}, out=tmp_path / "new")
    assert list(tmp_path.iterdir()) == []
