"""`mlx bench` over runs in memory: what is run, kept, taken up, tried again, what it may cost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mlxlab.api.bench import Bench, Event
from mlxlab.api.bench.state import State
from mlxlab.core.runs import list_runs
from tests.acceptance.support import descendants, kill_tree
from tests.acceptance.test_money import CALL_USD, Obedient
from tests.cli.benches import begun, events, happened, steps, wait_for, whole, write_grid
from tests.cli.conftest import Place, distribution

SLOW = "writer?latency_s=0.15"


def test_every_cell_runs_once_and_the_same_again_runs_nothing(place: Place) -> None:
    folder = write_grid(place, ["writer", "writer:other"], seeds=2, steps=3)
    done = place.mlx("bench", "grid.toml", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["bench_dir"] == "benches/grid"
    assert [cell["outcome"] for cell in found["cells"]] == ["done"] * 4
    assert [arm["done"] for arm in found["arms"]] == [2, 2]
    assert found["spent"]["cost_usd"] == pytest.approx(4 * 3 * 0.001)
    assert "[4/4]" in done.stderr
    whole(folder, 3)
    runs = {run.path.name: run.manifest() for run in list_runs(folder / "runs")}
    assert {m.labels["bench"] for m in runs.values()} == {"grid"}
    assert {m.labels["attempt"] for m in runs.values()} == {"1"}
    assert {(m.labels["arm"], m.seed) for m in runs.values()} == {
        (arm, seed) for arm in ("writer", "writer:other") for seed in (0, 1)
    }
    again = place.mlx("bench", "grid.toml")
    assert again.returncode == 0, again.stderr
    assert "4 of 4 runs done" in again.stdout
    assert {run.path.name for run in list_runs(folder / "runs")} == set(runs)
    assert len(happened(folder, "started")) == 4


def test_more_seeds_may_be_added_to_a_bench_and_nothing_changed(place: Place) -> None:
    folder = write_grid(place, seeds=1, steps=2)
    assert place.mlx("bench", "grid.toml", "--quiet").returncode == 0
    write_grid(place, seeds=2, steps=2)
    assert place.mlx("bench", "grid.toml", "--quiet").returncode == 0
    whole(folder, 2)
    write_grid(place, seeds=2, steps=3)
    other = place.mlx("bench", "grid.toml")
    assert other.returncode == 2
    assert other.stderr.count("\n") == 1
    assert "holds another bench: the cell 'toy, tree, seed 0' and 1 more" in other.stderr
    assert len(events(folder)) == 4


@pytest.mark.parametrize("all_of_it", [True, False], ids=["the whole tree", "the bench alone"])
def test_killed_in_the_middle_and_taken_up(place: Place, all_of_it: bool) -> None:
    folder = write_grid(place, [SLOW], seeds=5, steps=5)
    process = place.start("bench", "grid.toml", "--workers", "2")
    wait_for(lambda: len(happened(folder, "done")) >= 1 and steps(folder) % 5 > 1, process)
    if all_of_it:
        kill_tree(process.pid)
    else:
        process.kill()
    process.communicate()
    before = {run.path.name for run in list_runs(folder / "runs")}
    kept = {event.cell for event in happened(folder, "done")}
    assert 1 <= len(kept) < 5
    done = place.mlx("bench", "--resume", "benches/grid")
    assert done.returncode == 0, done.stderr
    whole(folder, 5)
    assert before <= {run.path.name for run in list_runs(folder / "runs")}
    again = [e for e in happened(folder, "started") if e.attempt > 1]
    assert 1 <= len(again) <= 2
    assert not kept & {event.cell for event in again}


def test_a_run_that_outlived_its_bench_is_written_down(place: Place) -> None:
    folder = write_grid(place, seeds=2, steps=2)
    assert place.mlx("bench", "grid.toml", "--quiet").returncode == 0
    cells = folder / "cells.jsonl"
    whole_record = cells.read_text().splitlines(keepends=True)
    assert '"done"' in whole_record[-1]
    longer = [line.replace('"at":"2', '"at":"1') for line in whole_record[:-1]]  # ages ago
    cells.write_text("".join(longer))  # killed before it could write the last line
    for _ in range(2):
        assert place.mlx("bench", "--resume", "benches/grid").returncode == 0
        whole(folder, 2)
    lost, found = Event.model_validate_json(whole_record[-1]), events(folder)[-1]
    assert (found.cell, found.run_id, found.attempt) == (lost.cell, lost.run_id, lost.attempt)
    bench = Bench(folder)
    state = State(bench.manifest.cells, 1, {})
    state.learn(events(folder))
    assert state._expected(bench.manifest.cells[0]) < 60


def test_a_killed_worker_costs_one_attempt_which_is_taken_up(place: Place) -> None:
    folder = write_grid(place, [SLOW], seeds=2, steps=5)
    process = place.start("bench", "grid.toml", "--workers", "2")
    wait_for(lambda: begun(folder) == 2, process)  # else the killed one may have no run yet
    workers = descendants(process.pid) - {process.pid}
    if len(os.sched_getaffinity(0)) > 1:
        one, other = (os.sched_getaffinity(worker) for worker in workers)
        assert not one & other
    os.kill(max(workers), signal.SIGKILL)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    (outage,) = happened(folder, "outage")
    assert "signal 9 (SIGKILL)" in (outage.error or "")
    whole(folder, 5)
    (second,) = [event for event in happened(folder, "done") if event.cell == outage.cell]
    assert (second.attempt, second.run_id) == (2, outage.run_id)
    assert Bench(folder).arms()[0].cost_usd == pytest.approx(2 * 5 * 0.001)


def test_ctrl_c_stops_in_order_and_says_how_to_go_on(place: Place) -> None:
    folder = write_grid(place, [SLOW], seeds=3, steps=5)
    process = place.start("bench", "grid.toml", "--workers", "2")
    wait_for(lambda: begun(folder) == 2, process)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Interrupted with 3 cells left. Go on with: mlx bench --resume benches/grid" in err
    assert [run.manifest().status for run in list_runs(folder / "runs")] == ["interrupted"] * 2
    assert len(happened(folder, "interrupted")) == 2
    assert place.mlx("bench", "--resume", "benches/grid").returncode == 0
    whole(folder, 5)


def test_a_plugin_that_breaks_its_promise_fails_its_cell_and_no_other(place: Place) -> None:
    folder = write_grid(place, ["writer", "writer?fails_at=1&crash=1"], seeds=1, steps=3)
    done = place.mlx("bench", "grid.toml")
    assert done.returncode == 1
    assert "ValueError: crashed" in done.stderr
    assert sorted(Bench(folder).outcomes.values()) == ["done", "failed"]
    again = place.mlx("bench", "grid.toml")
    assert again.returncode == 1
    assert len(happened(folder, "started")) == 2


def test_a_provider_that_says_no_is_asked_again_by_the_next_session_alone(place: Place) -> None:
    folder = write_grid(place, ["writer?fails_at=1"], seeds=1, steps=3)
    for session in (1, 2):
        done = place.mlx("bench", "grid.toml")
        assert done.returncode == 1
        assert "The provider is down" in done.stderr
        assert "mlx bench --resume benches/grid" in done.stderr
        assert [event.attempt for event in happened(folder, "outage")] == list(
            range(1, session + 1)
        )
    assert len(list_runs(folder / "runs")) == 1


FLAKY = """
from pathlib import Path
from mlxlab.core.errors import SandboxError
from mlxlab.testing import MemorySandbox
from tests.support import play

class Flaky(MemorySandbox):
    def __init__(self):
        super().__init__(play)

    async def open(self, setup):
        seen = Path("opened")
        times = len(seen.read_text()) if seen.exists() else 0
        seen.write_text("x" * (times + 1))
        if times < FAILS:
            raise SandboxError("The engine is away.")
        await super().open(setup)
"""


@pytest.mark.parametrize(("fails", "outcome", "status"), [(2, "done", 0), (99, "outage", 1)])
def test_an_engine_that_fails_is_tried_three_times(
    place: Place, fails: int, outcome: str, status: int
) -> None:
    place.module("flaky", FLAKY.replace("FAILS", str(fails)))
    distribution(place.site, "flaky-parts", {"sandbox.flaky": "flaky:Flaky"})
    folder = write_grid(place, seeds=1, steps=2)
    grid = place.work / "grid.toml"
    grid.write_text(grid.read_text().replace('"memory"', '"flaky"'))
    done = place.mlx("bench", "grid.toml")
    assert done.returncode == status, done.stderr
    ends = [event.event for event in events(folder) if event.event != "started"]
    assert ends == ["outage", "outage", outcome]
    assert len(list_runs(folder / "runs")) == 1


@pytest.fixture
def priced(place: Place) -> Place:
    """A model of which the price is known, behind the loopback."""
    config = place.work / "config.toml"
    config.write_text('[prices."openai/toy"]\nprompt = 2.5\ncompletion = 10\n')
    place.env |= {"MLXLAB_CONFIG": str(config), "OPENAI_API_KEY": "sk-test"}
    return place


def test_one_budget_over_all_runs_is_not_passed_and_counts_what_is_recorded(
    priced: Place,
) -> None:
    folder = write_grid(priced, ["openai:toy?max_tokens=500"], seeds=4, steps=6)
    limit = 7.5 * CALL_USD
    with Obedient() as server:
        words = ["bench", "grid.toml", "--workers", "3", "--max-cost"]
        first = priced.mlx(*words, f"{limit:.5f}", OPENAI_BASE_URL=server.url)
        asked = len(server.requests)
        assert first.returncode == 0, first.stderr
        assert "The bench has ended early, with" in first.stderr
        assert "mlx bench --resume benches/grid --max-cost USD" in first.stderr
        assert limit - 2 * CALL_USD < paid(folder, asked) <= limit
        same = priced.mlx(*words, f"{limit:.5f}", OPENAI_BASE_URL=server.url)
        assert same.returncode == 0, same.stderr
        assert len(server.requests) == asked
        more = priced.mlx(*words, f"{2 * limit:.5f}", OPENAI_BASE_URL=server.url)
        assert more.returncode == 0, more.stderr
        assert limit < paid(folder, len(server.requests)) <= 2 * limit
    ends = [event for event in events(folder) if event.event != "started"]
    assert len(ends) == len(happened(folder, "started"))


def paid(folder: Path, asked: int) -> float:
    """What all recorded calls cost; none is missing from the record."""
    calls = [call for run in list_runs(folder / "runs") for call in run.calls()]
    assert len(calls) == asked
    return sum(call.completion.cost_usd or 0.0 for call in calls if call.completion)


def test_the_time_of_all_runs_ends_them_in_order(place: Place) -> None:
    folder = write_grid(place, ["writer?latency_s=0.5"], seeds=2, steps=99)
    done = place.mlx("bench", "grid.toml", "--time", "5s")
    assert done.returncode == 0, done.stderr
    assert "The bench has ended early, with 2 cells left: the time is up." in done.stderr
    assert set(Bench(folder).outcomes.values()) == {"cut"}
    again = place.mlx("bench", "grid.toml", "--time", "5s")
    assert "the time is up" in again.stderr
    assert len(happened(folder, "started")) <= 4


SUITE = """
from mlxlab.core.suite import SuiteInfo, SuiteTask

class Pair:
    info = SuiteInfo(title="Pair", source="here", scaffold="tree", steps=7, exec_timeout_s=9.0)

    def tasks(self):
        return (SuiteTask(id="a", spec="toy", part="held-out"),
                SuiteTask(id="b", spec="temperature", part="train"))
"""


def test_a_suite_brings_tasks_and_protocol_and_a_grid_may_say_otherwise(place: Place) -> None:
    place.module("pair", SUITE)
    distribution(place.site, "pair-suite", {"suite.pair": "pair:Pair"})
    (place.work / "grid.toml").write_text(
        'suite = "pair"\npart = "held-out"\nsandbox = "memory"\n'
        '[[arms]]\nname = "usual"\npolicy = "writer"\n'
        '[[arms]]\nname = "short"\npolicy = "writer"\nsteps = 2\nexec_timeout = 5\n'
    )
    done = place.mlx("bench", "grid.toml", "--dry-run", "--json")
    assert done.returncode == 0, done.stderr
    cells = json.loads(done.stdout)["cells"]
    told = [(c["arm"], c["task"], c["scaffold"], c["steps"], c["exec_timeout_s"]) for c in cells]
    assert told == [("usual", "toy", "tree", 7, 9.0), ("short", "toy", "tree", 2, 5.0)]
    assert not (place.work / "benches").exists()


def test_every_problem_is_told_in_a_line_before_anything_runs(place: Place) -> None:
    write_grid(
        place,
        ["writer", "writter", "writer?latency=1", "deepseek-r1"],
        more='[[arms]]\nname = "blind"\nscaffold = "tree"\nfeedback = "none"\n',
    )
    done = place.mlx("bench", "grid.toml", DEEPSEEK_API_KEY="")
    assert done.returncode == 2
    first, *others, last = done.stderr.splitlines()
    assert first.startswith("mlx: toy, writter, seed 0 and 1 more cell: There is no policy")
    assert "Did you mean 'writer'?" in first
    assert "has no option 'latency'. Did you mean 'latency_s'?" in others[0]
    assert "toy, deepseek-r1, seed 0" in others[1]
    assert "toy, blind, seed 0" in others[2]
    assert len(others) == 3
    assert last == "Nothing was started."
    assert not (place.work / "benches").exists()


def test_a_bench_that_is_running_is_left_alone(place: Place) -> None:
    folder = write_grid(place, [SLOW], seeds=1, steps=40)
    process = place.start("bench", "grid.toml")
    wait_for(lambda: steps(folder) >= 1, process)
    second = place.mlx("bench", "grid.toml")
    kill_tree(process.pid)
    process.communicate()
    assert second.returncode == 1
    assert "The bench benches/grid is run by another process." in second.stderr


def test_a_strangers_bench_is_not_taken_at_its_word(place: Place) -> None:
    folder = write_grid(place, seeds=1, steps=2)
    assert place.mlx("bench", "grid.toml", "--quiet").returncode == 0
    path = folder / "bench.json"
    path.write_text(path.read_text().replace('"writer"', '"writer?latency_s=9"'))
    done = place.mlx("bench", "--resume", "benches/grid")
    assert done.returncode == 2
    assert "made elsewhere" in done.stderr
    assert "mlx bench GRID.toml --out benches/grid" in done.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "mlx bench needs a grid. Write: mlx bench GRID.toml, or --resume DIR"),
        (("grid.toml", "--resume", "x"), "--resume DIR says it all."),
        (("--resume", "x"), "x is no bench: it has no bench.json."),
        (("none.toml",), "none.toml cannot be read: No such file or directory."),
        (("grid.toml", "--worker", "2"), "mlx bench has no option '--worker'."),
    ],
)
def test_wrong_words_are_one_line(place: Place, words: tuple[str, ...], told: str) -> None:
    done = place.mlx("bench", *words)
    assert done.returncode in {1, 2}
    assert told in done.stderr
    assert done.stderr.count("\n") == 1


def test_who_stops_reading_stops_no_run(place: Place) -> None:
    folder = write_grid(place, [SLOW], seeds=2, steps=3)
    process = place.start("bench", "grid.toml", "--workers", "1")
    assert process.stderr is not None
    process.stderr.readline()
    process.stderr.close()
    process.wait(timeout=60)
    assert process.stdout is not None
    process.stdout.close()
    whole(folder, 3)


IMPATIENT = """
import sys
from mlxlab.api.bench import running
running.ORDERLY_S = 1.0
from mlxlab.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


def test_a_worker_that_hangs_does_not_outlast_the_time(place: Place) -> None:
    folder = write_grid(place, [SLOW], seeds=1, steps=99)
    process = subprocess.Popen(
        [sys.executable, "-c", IMPATIENT, "bench", "grid.toml", "--time", "4s"],
        cwd=place.work, env=place.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    wait_for(lambda: steps(folder) >= 1, process)
    (worker,) = descendants(process.pid) - {process.pid}
    os.kill(worker, signal.SIGSTOP)
    _, err = process.communicate(timeout=60)
    assert "The bench has ended early, with 1 cell left: the time is up." in err
    (outage,) = happened(folder, "outage")
    assert "signal 9 (SIGKILL)" in (outage.error or "")
