"""Pipeline files, and which stages are done, kept or done again."""

from __future__ import annotations

from collections.abc import Callable
from inspect import signature
from pathlib import Path
from typing import Any

import pytest

from mlxlab.api.exploring import explore
from mlxlab.api.pipeline import Plan, StageRecord, Watch, plan_pipeline, read_pipeline, run_pipeline
from mlxlab.api.pipeline.estimating import estimates
from mlxlab.api.pipeline.folder import held
from mlxlab.api.pipeline.measuring import spread
from mlxlab.api.pipeline.spec import ExploreTable
from mlxlab.api.pipeline.tasks import expanded
from mlxlab.api.pipeline.training import as_words, options_of
from mlxlab.api.pipeline.work import Result, Stage, Work
from mlxlab.core.errors import MlxError, RecordError, UsageError
from mlxlab.core.registry import Registry
from mlxlab.core.runs import RunFolder

FILES = sorted((Path(__file__).parents[2] / "pipelines").glob("*.toml"))
SMALL = """\
tasks = ["generated:linear/0-1"]
held_out = ["generated:rings/0"]
[collect]
steps = 3
[sft]
[[rl]]
name = "grpo"
[[rl]]
name = "binary"
reward = "ml-agent?signal=binary"
start = "grpo"
"""


def write(folder: Path, text: str = SMALL) -> Path:
    path = folder / "small.toml"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tasks = [", "small.toml is no TOML"),
        ("task = ['flights']", "has no key 'task'. Did you mean 'tasks'?"),
        ("tasks = ['flights']\n[collect]\nstep = 3", "[collect] has no key 'step'"),
        ("tasks = ['flights']\n[collect]\nsteps = 'x'", "collect.0.steps"),
        ("tasks = ['flights']\n[collect]\nsteps = 0", "collect.0.steps"),
        ("tasks = ['flights']", "collect: it is missing"),
        ("tasks = []\n[collect]\n", "there is none to train on"),
        ("tasks = ['flights']\n[collect]\npart = 'held-out'", "no table collects for training"),
        ("tasks = ['flights']\n[collect]\nheld_back = 2", "leaves no trajectory"),
        (SMALL + "[[rl]]\nname = 'grpo'", "two tables are called 'grpo'"),
        (SMALL.replace("start = 'grpo'", "") + "[[rl]]\nname='x'\nstart='y'", "start = 'y' is no"),
        (SMALL + "[[rl]]\nname='x'\ncollected=['y']", "'y' is no collect table"),
        (SMALL.replace("start = 'grpo'", "") + "[[rl]]\nname='x'\nstart='x'", "table before it"),
        (SMALL.replace("[sft]", "[sft]\nstart = 'grpo'"), "start = 'grpo' is no sft or rl table"),
        (SMALL + "[[rl]]\nname='evaluate'", "'evaluate' is the name of another stage"),
        (SMALL + "[[rl]]\nname='collect-expert'", "is the name of another stage or file"),
        (SMALL + "[[rl]]\nname='x'\nlaunch='\"'", "launch: No closing quotation"),
        (SMALL + "[evaluate.policies]\nsft='climb'", "evaluate.policies: 'sft' is measured"),
        ("tasks = ['flights']\nname = '../x'\n[collect]\n", "name: '../x'"),
    ],
)
def test_a_mistake_is_one_line_with_file_and_key(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_pipeline(write(tmp_path, text))
    assert said in str(caught.value)
    assert str(tmp_path) in str(caught.value) and "\n" not in str(caught.value)


def test_what_cannot_be_is_told_before_anything_is_written(tmp_path: Path) -> None:
    for changed, said in {
        SMALL.replace("rings/0", "linear/1"): "both trained on and held out",
        SMALL.replace("linear/0-1", "linear/3-1"): "runs backwards",
        SMALL.replace("generated:linear/0-1", "suite:bultin"): "Did you mean 'builtin'",
        SMALL.replace("linear/0-1", "linaer/0-1"): "did you mean 'linear'",
        'scaffold = "recip"\n' + SMALL: "Did you mean 'recipe'",
        'reward = "ml-agent?versoin=2"\n' + SMALL: "no option 'versoin'",
    }.items():
        with pytest.raises(UsageError) as caught:
            plan_pipeline(write(tmp_path, changed), out=tmp_path / "out")
        assert said in str(caught.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (SMALL + "[explore]\npolicy='nobody'", "There is no policy 'nobody'"),
        (SMALL + "[explore]\nembedder='nowhere'", "There is no embedder 'nowhere'"),
        (SMALL + "[evaluate]\nexpert='nobody'", "There is no policy 'nobody'"),
        (SMALL + "[evaluate.policies]\nx='nobody'", "There is no policy 'nobody'"),
        (SMALL + "[evaluate]\nsampling='temprature=1'", "Did you mean 'temperature'"),
        ("seed = -1\n" + SMALL, "-1 is no seed"),
        (SMALL.replace("0-1", "0-99999999"), "stands for 100000000 tasks"),
    ],
)
def test_what_a_late_stage_could_not_use_is_told_first(
    tmp_path: Path, text: str, said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        plan_pipeline(write(tmp_path, text), out=tmp_path / "out")


def test_a_model_that_is_elsewhere_can_be_rehearsed_and_not_run(tmp_path: Path) -> None:
    plan = plan_pipeline(write(tmp_path, "model = 'nowhere'\n" + SMALL), out=tmp_path / "out")
    (line,) = plan.lacking
    assert line.startswith("There is no model folder nowhere.")
    with pytest.raises(UsageError, match="no model folder nowhere"):
        run_pipeline(plan)


def test_ranges_and_suites_stand_for_their_tasks() -> None:
    registry = Registry.installed()
    found = expanded(("generated:linear/8-10", "generated:linear/9", "flights"), "train", registry)
    assert found == ("generated:linear/8", "generated:linear/9", "generated:linear/10", "flights")
    train = expanded(("suite:builtin",), "train", registry)
    held_out = expanded(("suite:builtin",), "held-out", registry)
    assert len(train) == 9 and len(held_out) == 10 and not set(train) & set(held_out)


def test_held_in_tasks_are_spread_over_the_families() -> None:
    assert spread("abcdefg", 3) == ("a", "c", "e")
    assert spread("ab", 3) == ("a", "b")
    assert spread("ab", 0) == ()


def test_the_last_trajectories_of_each_task_are_kept_back(tmp_path: Path) -> None:
    text = SMALL.replace("steps = 3", "steps = 1\ntrajectories = 2\nheld_back = 1")
    text = text.replace("linear/0-1", "linear/0")
    plan = plan_pipeline(write(tmp_path, text), out=tmp_path / "out", seed=3, workers=2)
    run_pipeline(plan, only="collect-expert")
    found = plan.work.result("collect-expert")
    tasks = {
        part: sorted(
            RunFolder(plan.work.path(run)).manifest().components["task"].spec for run in found[part]
        )
        for part in ("runs", "held_back")
    }
    assert tasks["runs"] == tasks["held_back"] == ["generated:linear/0"]
    assert not set(found["runs"]) & set(found["held_back"])


def test_the_stages_of_a_file_and_what_each_needs(tmp_path: Path) -> None:
    plan = plan_pipeline(write(tmp_path), out=tmp_path / "out", seed=7)
    needs = {stage.name: stage.needs for stage in plan.stages}
    assert needs == {
        "collect-expert": (),
        "sft": ("collect-expert",),
        "grpo": ("collect-expert", "sft"),
        "binary": ("collect-expert", "grpo"),
        "evaluate": ("collect-expert", "sft", "grpo", "binary"),
        "report": ("collect-expert", "sft", "grpo", "binary", "evaluate"),
    }
    keys: dict[str, str] = {}
    for stage in plan.stages:
        keys[stage.name] = stage.key(keys)
    other = SMALL.replace("signal=binary", "signal=score")
    again: dict[str, str] = {}
    for stage in plan_pipeline(write(tmp_path, other), out=tmp_path / "out", seed=7).stages:
        again[stage.name] = stage.key(again)
    changed = [name for name in keys if keys[name] != again[name]]
    assert changed == ["binary", "evaluate", "report"]


def explore_key(folder: Path, text: str) -> str:
    plan = plan_pipeline(write(folder, SMALL + text), out=folder / "out")
    return next(stage for stage in plan.stages if stage.name == "explore").key({})


def test_what_a_version_of_the_exploration_does_not_use_changes_nothing(tmp_path: Path) -> None:
    first = explore_key(tmp_path, "[explore]")
    assert explore_key(tmp_path, "[explore]\nper_axis = 7") == first
    assert explore_key(tmp_path, "[explore]\nkeep = 7") != first
    second = explore_key(tmp_path, "[explore]\nversion = 2")
    assert explore_key(tmp_path, "[explore]\nversion = 2\nper_axis = 7") != second


def test_tables_and_calls_have_the_same_defaults() -> None:
    stated = signature(explore).parameters
    table = ExploreTable()
    for name in ("version", "candidates", "keep", "per_axis", "embedder"):
        assert getattr(table, name) == stated[name].default


class Seen(Watch):
    """What was told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def kept(self, record: StageRecord) -> None:
        self.lines.append(f"kept {record.stage}")

    def begin(self, stage: str, why: str) -> None:
        self.lines.append(f"begin {stage} {why}".strip())

    def end(self, record: StageRecord) -> None:
        self.lines.append(f"{record.status} {record.stage}")


def stages(plan: Plan, options: dict[str, Any], log: list[str], fail: str = "") -> Plan:
    """Three stages in a row that write a file each."""

    def doing(name: str) -> Callable[[Work], Result]:
        def run(work: Work) -> Result:
            log.append(name)
            (work.folder.of(name) / "made").write_text(str(options))
            if name == fail:
                raise MlxError("it broke")
            return {"name": name}

        return run

    made = [
        Stage("one", "collect", {"steps": options["one"]}, (), doing("one")),
        Stage("two", "sft", {"steps": options["two"]}, ("one",), doing("two")),
        Stage("report", "report", {}, ("one", "two"), doing("report")),
    ]
    seen = Seen()
    plan.work.watch = seen
    return Plan(plan.work, tuple(made))


def told(plan: Plan) -> list[str]:
    assert isinstance(plan.work.watch, Seen)
    return plan.work.watch.lines


def test_stages_are_kept_until_their_options_change(tmp_path: Path) -> None:
    log: list[str] = []
    base = plan_pipeline(write(tmp_path), out=tmp_path / "out")
    done = run_pipeline(stages(base, {"one": 1, "two": 1}, log))
    assert log == ["one", "two", "report"]
    assert done.stages["two"].result == {"name": "two"}
    run_pipeline(plan := stages(base, {"one": 1, "two": 1}, log))
    assert log == ["one", "two", "report"]
    assert told(plan) == ["kept one", "kept two", "kept report"]
    (tmp_path / "out" / "two" / "left").write_text("of the first time")
    run_pipeline(plan := stages(base, {"one": 1, "two": 2}, log))
    assert told(plan)[:3] == ["kept one", "begin two steps is 2, was 1", "done two"]
    assert "begin report two has changed" in told(plan)
    assert not (tmp_path / "out" / "two" / "left").exists()


def test_a_failed_stage_goes_on_where_it_was(tmp_path: Path) -> None:
    log: list[str] = []
    base = plan_pipeline(write(tmp_path), out=tmp_path / "out")
    with pytest.raises(MlxError, match="it broke"):
        run_pipeline(stages(base, {"one": 1, "two": 1}, log, fail="two"))
    record = base.work.folder.stage("two")
    assert record is not None and (record.status, record.error) == ("failed", "it broke")
    (tmp_path / "out" / "two" / "left").write_text("what it had done")
    run_pipeline(stages(base, {"one": 1, "two": 1}, log))
    assert (tmp_path / "out" / "two" / "left").exists()
    assert log == ["one", "two", "two", "report"]


def test_an_evaluation_alone_is_made_anew_and_tells_anew(tmp_path: Path) -> None:
    log: list[str] = []

    def evaluate(work: Work) -> Result:
        if not log:
            work.note("one policy failed")
        log.append("evaluate")
        return {}

    made = Stage("evaluate", "evaluate", {}, (), evaluate)
    plan = Plan(plan_pipeline(write(tmp_path), out=tmp_path / "out").work, (made,))
    assert run_pipeline(plan).stages["evaluate"].notes == ("one policy failed",)
    again = run_pipeline(plan, only="evaluate").stages["evaluate"]
    assert log == ["evaluate", "evaluate"] and again.notes == ()


def test_one_stage_alone_wants_those_before_it(tmp_path: Path) -> None:
    log: list[str] = []
    base = plan_pipeline(write(tmp_path), out=tmp_path / "out")
    with pytest.raises(RecordError, match="one comes first"):
        run_pipeline(stages(base, {"one": 1, "two": 1}, log), only="two")
    with pytest.raises(UsageError, match=r"There is no stage 'three'\. Stages: one, two, report"):
        run_pipeline(stages(base, {"one": 1, "two": 1}, log), only="three")
    run_pipeline(stages(base, {"one": 1, "two": 1}, log), only="collect")
    run_pipeline(stages(base, {"one": 1, "two": 1}, log))
    run_pipeline(stages(base, {"one": 1, "two": 1}, log), only="report")
    assert log == ["one", "two", "report", "report"]


def test_two_processes_do_not_run_one_pipeline(tmp_path: Path) -> None:
    plan = stages(plan_pipeline(write(tmp_path), out=tmp_path / "out"), {"one": 1, "two": 1}, [])
    with held(plan.folder), pytest.raises(RecordError, match="Another process"):
        run_pipeline(plan)


def test_a_launched_training_is_the_same_in_words(tmp_path: Path) -> None:
    given = {
        "runs": (Path("a"), Path("b")), "trainer": "grpo?steps=2", "model": "tiny",
        "rewards": "ml-agent", "sandbox": "local", "editor": None, "workers": None,
        "exec_timeout_s": 5.0, "cache": Path("c"), "seed": 1, "tasks": ("flights",),
    }  # fmt: skip
    from mlxlab.cli.commands import train
    from mlxlab.cli.parser import Parser

    parser = Parser()
    train.configure(parser)
    read = vars(parser.parse_args(as_words(given, tmp_path)[1:]))
    for name in ("trainer", "model", "rewards", "sandbox", "exec_timeout_s", "cache", "seed"):
        assert read[name] == given[name]
    assert (read["runs"], read["tasks"]) == ([Path("a"), Path("b")], ["flights"])


def test_a_training_with_a_cache_of_its_own(tmp_path: Path) -> None:
    """Where outcomes lie is said to no such training, and is a reason to train again; else none."""
    said = {"": True, 'cache = "shared"\n': True, 'cache = "own"\n': False}
    keys = []
    for line, shared in said.items():
        path = write(tmp_path, SMALL.replace('name = "grpo"\n', f'name = "grpo"\n{line}'))
        plan = plan_pipeline(path, out=tmp_path / "out")
        table = plan.work.spec.rl[0].model_copy(update={"collected": (), "model": "tiny"})
        given = options_of(plan.work, table)
        assert given["cache"] == (tmp_path / "out" / "transitions" if shared else None)
        assert ("--cache" in as_words(given, tmp_path)) == shared
        known: dict[str, str] = {}
        for stage in plan.stages:
            known[stage.name] = stage.key(known)
        keys.append(known["grpo"])
    assert keys[0] == keys[1] != keys[2]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_shipped_pipelines_can_be_rehearsed(path: Path, tmp_path: Path) -> None:
    plan = plan_pipeline(path, out=tmp_path / "out")
    found = estimates(plan)
    assert set(found) == {stage.name for stage in plan.stages}
    assert all(found[each.name] for each in (*plan.work.spec.sft, *plan.work.spec.rl))
    assert not (tmp_path / "out").exists()
    if path.stem == "tiny":
        assert len(plan.work.tasks) >= 20 and len(plan.work.held_out) >= 10
