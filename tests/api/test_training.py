"""Trainings from Python: their folder, their record, how they go on, and what they refuse."""

from __future__ import annotations

import json
import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from mlxlab.api.training import (
    Training,
    TrainManifest,
    TrainOptions,
    found,
    options_of,
    plan_training,
    run_plan,
)
from mlxlab.api.training.folder import TrainWriter, written
from mlxlab.api.training.options import base_of, run_folders
from mlxlab.api.training.planning import unfinished
from mlxlab.api.training.record import Figures, differences
from mlxlab.api.training.watching import Callbacks
from mlxlab.core.entries import Entry
from mlxlab.core.errors import MissingExtra, MlxError, PluginError, RecordError, UsageError
from mlxlab.core.hooks import Hooks, hookimpl
from mlxlab.core.registry import Registry
from mlxlab.core.trainer import PolicyRef, TrainProgress
from tests.recorded import record_run, task


def entry(kind: str, name: str, target: str) -> Entry:
    point = EntryPoint(f"{kind}.{name}", target, "mlxlab.components")
    return Entry(kind, name, target, "toys", "1.0", point)


TOYS = Registry(
    [
        entry("trainer", "counting", "tests.cli.toytrainers:Counting"),
        entry("trainer", "repeating", "tests.cli.toytrainers:Repeating"),
        entry("trainer", "sft", "tests.cli.toytrainers:Teaching"),
        entry("sandbox", "local", "tests.cli.toyparts:memory"),
        entry("reward", "ml-agent", "tests.cli.toyparts:constant"),
        entry("reward", "haste", "tests.cli.toyparts:Haste"),
    ]
)


def options(tmp_path: Path, trainer: str = "counting", **given: Any) -> TrainOptions:
    if not (tmp_path / "runs").exists():
        record_run(tmp_path / "runs", "one", [0.5, 0.6, "error"])
    runs = given.pop("runs", (tmp_path / "runs",))
    return TrainOptions(**{"runs": runs, "out": tmp_path / "out", "trainer": trainer, **given})


def train(asked: TrainOptions, tell: Any = None, warn: Any = None) -> Training:
    return run_plan(plan_training(asked, TOYS), Callbacks(tell, warn), Hooks())


def steps(folder: Path) -> list[int]:
    lines = (folder / "train.jsonl").read_text().splitlines()
    return [json.loads(line)["step"] for line in lines]


def test_a_training_is_a_folder_with_a_manifest_and_a_line_for_each_step(tmp_path: Path) -> None:
    heard: list[TrainProgress] = []
    done = train(options(tmp_path, model="tiny"), heard.append)
    assert [step.step for step in heard] == steps(tmp_path / "out") == [1, 2, 3, 4, 5]
    assert done.policy == f"local:{tmp_path}/out/final"
    m = done.manifest
    assert (m.status, m.error, m.sessions, m.base) == ("done", None, 1, "tiny")
    assert m.trainer.spec == "counting" and m.trainer.config["steps"] == 5
    assert [(run.run_id, run.steps, len(run.hash)) for run in m.runs] == [("one", 3, 64)]
    assert (m.corpus.examples, m.corpus.tasks, m.corpus.scaffolds) == (3, {"toy": 3}, {"aide": 3})
    assert m.reward is None and m.sandbox is None
    assert (m.figures.first["reward"], m.figures.last["reward"]) == (0.0, pytest.approx(1 / 3))
    assert m.wall_s >= 0
    raw = json.loads((tmp_path / "out" / "train.json").read_text())
    assert raw["schema"] == 1 and raw["packages"]["torch"]


def test_the_rewards_name_is_told_to_whoever_reads_recorded_values(tmp_path: Path) -> None:
    plan = plan_training(options(tmp_path, model="tiny", rewards="ml-agent"), TOYS)
    assert plan.job().reward == "ml-agent"
    with pytest.raises(UsageError, match="no reward 'ml-agnt'"):
        plan_training(options(tmp_path, model="tiny", rewards="ml-agnt"), TOYS)


@pytest.mark.parametrize("trainer", ["counting", "repeating"])
def test_a_reward_s_values_stand_under_the_spec_that_is_recorded(
    tmp_path: Path, trainer: str
) -> None:
    asked = options(tmp_path, trainer, model="tiny", rewards="haste:10", trust=True)
    plan = plan_training(asked, TOYS)
    assert plan.job().reward == "haste:10.0"
    assert plan.manifest.reward is None or plan.manifest.reward.spec == "haste:10.0"


def test_a_policy_that_there_is_not_is_no_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = PolicyRef(spec=f"locla:{tmp_path}/out/final")
    monkeypatch.setattr("tests.cli.toytrainers.Counting.train", lambda self, job: result)
    with pytest.raises(PluginError, match=r"toys 1\.0: train returned 'locla"):
        train(options(tmp_path, model="tiny"))


def test_what_is_done_is_returned_as_it_is(tmp_path: Path) -> None:
    train(options(tmp_path))
    before = (tmp_path / "out" / "train.json").read_bytes()
    heard: list[TrainProgress] = []
    again = train(options(tmp_path), heard.append)
    assert again.manifest.status == "done" and heard == []
    assert (tmp_path / "out" / "train.json").read_bytes() == before


@pytest.mark.parametrize("how", ["error", "interrupt", "stop", "full", "bug"])
def test_what_ended_early_goes_on_and_writes_no_step_twice(tmp_path: Path, how: str) -> None:
    asked = options(tmp_path, f"counting?fails_at=4&how={how}")
    raised = {"error": MlxError, "interrupt": KeyboardInterrupt, "full": RecordError}
    with pytest.raises(raised.get(how, PluginError)) as caught:
        train(asked)
    m = Training(tmp_path / "out").manifest
    assert m.status == ("interrupted" if how == "interrupt" else "failed")
    if how != "interrupt":
        assert m.error == str(caught.value)
    assert steps(tmp_path / "out") == [1, 2, 3]
    with pytest.raises(RecordError, match="is not done"):
        _ = Training(tmp_path / "out").policy
    told: list[TrainProgress] = []
    seen: list[TrainProgress] = []
    hooks = Hooks()
    hooks.register(Tracker(seen))
    done = run_plan(plan_training(asked, TOYS), Callbacks(told.append, None), hooks)
    # Its checkpoint was of step 2: step 3 is taken again, shown, and not recorded again.
    assert [step.step for step in told] == [3, 4, 5]
    assert [step.step for step in seen] == [4, 5]
    assert steps(tmp_path / "out") == [1, 2, 3, 4, 5]
    assert (done.manifest.status, done.manifest.error, done.manifest.sessions) == ("done", None, 2)


class Tracker:
    def __init__(self, seen: list[TrainProgress]) -> None:
        self._seen = seen

    @hookimpl
    def mlx_training_step(self, progress: TrainProgress) -> None:
        self._seen.append(progress)


def test_a_full_disk_is_told_as_that(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=r"out cannot be written: the disk is full. Make room."):
        train(options(tmp_path, "counting?fails_at=2&how=full"))


def test_a_line_that_was_cut_off_is_dropped(tmp_path: Path) -> None:
    with pytest.raises(MlxError):
        train(options(tmp_path, "counting?fails_at=4"))
    with (tmp_path / "out" / "train.jsonl").open("a") as file:
        file.write('{"step":4,"tot')
    train(options(tmp_path, "counting?fails_at=4"))
    assert steps(tmp_path / "out") == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"trainer": "counting?steps=9"}, "its trainer is 'counting', not 'counting[?]steps=9'"),
        ({"seed": 3}, "its seed is 0, not 3"),
        ({"model": "tiny?hidden=64"}, "its model is 'tiny', not 'tiny[?]hidden=64'"),
        ({"tasks": ("toy",)}, "its choice of tasks is none, not 'toy'"),
    ],
)
def test_other_options_want_another_folder(
    tmp_path: Path, changed: dict[str, Any], told: str
) -> None:
    train(options(tmp_path))
    with pytest.raises(UsageError, match=f"out holds another training: {told}[.] Name another"):
        train(options(tmp_path, **changed))


def test_other_runs_want_another_folder(tmp_path: Path) -> None:
    train(options(tmp_path))
    with (tmp_path / "runs" / "one" / "steps.jsonl").open("rb+") as file:
        first = file.readline()
        file.seek(0, 2)
        file.write(first)
    with pytest.raises(UsageError, match="the run one has changed since"):
        train(options(tmp_path))
    record_run(tmp_path / "runs", "two")
    with pytest.raises(UsageError, match=r"it learns from other runs \(1, not 2\)"):
        train(options(tmp_path))


def test_workers_and_caches_make_no_other_training(tmp_path: Path) -> None:
    train(options(tmp_path))
    moved = options(tmp_path, workers=7, cache=tmp_path / "known")
    assert train(moved).manifest.workers is None


def test_two_processes_do_not_train_into_one_folder(tmp_path: Path) -> None:
    with written(tmp_path / "out"), pytest.raises(RecordError, match="Another process trains"):
        train(options(tmp_path))


def test_a_place_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(UsageError, match="is no folder that a training could go to"):
        train(options(tmp_path))


def test_runs_and_steps_that_cannot_be_used_are_told(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    record_run(runs, "good", [0.5, 0.6])
    record_run(runs, "exposed", [0.5], feedback="private")
    raw = json.loads((record_run(runs, "later") / "run.json").read_text())
    (runs / "later" / "run.json").write_text(json.dumps({**raw, "schema": 99}))
    lines = (record_run(runs, "pruned", [0.5, 0.6]) / "steps.jsonl").read_text()
    (runs / "pruned" / "steps.jsonl").write_text(
        lines.replace('"start":"clean"', '"start":"gone"', 1)
    )
    exposed = (runs / "exposed" / "steps.jsonl").read_text()
    (runs / "exposed" / "steps.jsonl").write_text(
        exposed.replace('"feedback":"public"', '"feedback":"private"')
    )
    told: list[str] = []
    done = train(options(tmp_path), warn=told.append)
    assert done.manifest.status == "done"
    assert [run.run_id for run in done.manifest.runs] == ["good", "pruned"]
    assert done.manifest.corpus.examples == 3
    assert tuple(told) == done.manifest.corpus.skipped == done.manifest.warnings
    assert len(told) == 3
    assert "has schema 99; this version reads schema 1." in told[0]
    assert told[1] == "pruned: 1 step left out: their state was pruned."
    assert told[2].startswith("exposed: 1 step left out: their agent was shown private scores")


def test_nothing_to_learn_from_says_why(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    raw = json.loads((record_run(runs, "later") / "run.json").read_text())
    (runs / "later" / "run.json").write_text(json.dumps({**raw, "schema": 99}))
    with pytest.raises(UsageError, match=r"There is nothing to learn from.*schema 99"):
        train(options(tmp_path))
    assert not (tmp_path / "out").exists()


def test_only_the_tasks_that_are_named(tmp_path: Path) -> None:
    record_run(tmp_path / "runs", "a", [0.5, 0.6], of=task("first"))
    record_run(tmp_path / "runs", "b", [0.5], of=task("second"))
    done = train(options(tmp_path, tasks=("second",)))
    assert done.manifest.corpus.tasks == {"second": 1}
    assert [run.run_id for run in done.manifest.runs] == ["b"]
    with pytest.raises(UsageError, match=r"of the task third. There are steps of: first, second"):
        train(options(tmp_path, tasks=("second", "third"), out=tmp_path / "other"))


def test_an_option_that_came_later_and_is_not_set_makes_no_other_training(tmp_path: Path) -> None:
    now = train(options(tmp_path, model="tiny")).manifest

    def of(**config: Any) -> TrainManifest:
        return now.model_copy(update={"trainer": now.trainer.model_copy(update={"config": config})})

    assert differences(of(steps=5), of(steps=5, limit=None)) == []
    assert differences(of(steps=5), of(steps=6)) == ["the trainer's defaults have changed"]
    assert differences(of(steps=5), of(steps=5, limit=0)) == ["the trainer's defaults have changed"]


def test_runs_are_found_below_folders_and_benches_once(tmp_path: Path) -> None:
    one = record_run(tmp_path / "bench" / "runs", "one")
    two = record_run(tmp_path / "bench" / "runs", "two")
    assert run_folders([tmp_path / "bench", one]) == [one, two]
    with pytest.raises(UsageError, match="nowhere does not exist"):
        run_folders([tmp_path / "nowhere"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match=r"empty holds no runs\. Name run folders, or"):
        run_folders([tmp_path / "empty"])
    record_run(tmp_path / "stage" / "bench" / "runs", "three")
    for above in (tmp_path / "stage", tmp_path):  # which one is not guessed
        with pytest.raises(UsageError, match=r"holds no runs. Some lie in .*bench/runs\.$"):
            run_folders([above])


def test_where_training_begins(tmp_path: Path) -> None:
    assert base_of(None).spec == "tiny"
    assert base_of("tiny?hidden=64").spec == "tiny?hidden=64"
    model = tmp_path / "model"
    model.mkdir()
    with pytest.raises(UsageError, match=r"model is no model: it has no config.json"):
        base_of(str(model))
    (model / "config.json").write_text("{}")
    assert base_of(str(model)).spec == base_of(f"local:{model}").spec == f"local:{model}"
    assert base_of(f"local:{model}?base=x").spec == f"local:{model}?base=x"
    with pytest.raises(UsageError, match="There is no model folder gpt-9"):
        base_of("gpt-9")
    trained = train(options(tmp_path))
    assert base_of(str(trained.folder)).spec == f"local:{tmp_path}/out/final"


def test_an_interrupted_training_goes_on_from_its_record_alone(tmp_path: Path) -> None:
    asked = options(tmp_path, "counting?fails_at=2", seed=4, tasks=("toy",), model="tiny")
    with pytest.raises(MlxError):
        train(asked)
    again = options_of(tmp_path / "out")
    assert (again.seed, again.tasks, again.trainer) == (4, ("toy",), "counting?fails_at=2")
    assert train(again).manifest.sessions == 2


def test_a_training_that_ended_before_its_first_step_is_begun_anew(tmp_path: Path) -> None:
    with pytest.raises(MlxError):
        train(options(tmp_path, "counting?fails_at=1"))
    (tmp_path / "out" / "base").mkdir()
    done = train(options(tmp_path, "counting?steps=2", seed=1))
    assert (done.manifest.sessions, done.manifest.seed) == (1, 1)
    assert not (tmp_path / "out" / "base").exists()


@pytest.mark.parametrize("trainer", ["sft", "grpo", "ppo"])
def test_a_missing_extra_is_one_line(
    tmp_path: Path, trainer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for package in ("torch", "transformers", "trl"):
        monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtra, match=r"pip install 'mlxlab\[train\]'"):
        run_plan(plan_training(options(tmp_path, trainer, trust=True), Registry.installed()))


def test_a_strangers_training_is_not_taken_up(tmp_path: Path) -> None:
    train(options(tmp_path))
    place = tmp_path / "out" / "train.json"
    raw = json.loads(place.read_text())
    raw["trainer"]["spec"] = "counting?steps=1000"
    place.write_text(json.dumps(raw))
    with pytest.raises(UsageError, match="was made elsewhere"):
        options_of(tmp_path / "out")


def test_a_run_that_is_gone_is_named(tmp_path: Path) -> None:
    train(options(tmp_path))
    (tmp_path / "runs" / "one" / "run.json").unlink()
    with pytest.raises(RecordError, match=r"The run .*one, which .*out learns from, is gone"):
        options_of(tmp_path / "out")


@pytest.mark.parametrize(
    ("text", "told"),
    [("{}", "schema None"), ("[]", "schema None"), ("no json", "cannot be read")],
)
def test_a_record_that_is_none_is_told(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "train.json").write_text(text)
    with pytest.raises(RecordError, match=told):
        _ = Training(tmp_path).manifest
    with pytest.raises(RecordError, match=r"is no training: it has no train.json"):
        _ = Training(tmp_path / "nowhere").manifest


def test_a_model_from_nothing_is_taught_before_it_acts(tmp_path: Path) -> None:
    plan = plan_training(options(tmp_path, "repeating?steps=0", trust=True), TOYS)
    assert plan.warm_up is not None
    assert plan.base.spec == f"local:{tmp_path}/out/sft/final"
    assert plan.warm_up.base.spec == plan.manifest.base == "tiny"
    done = run_plan(plan, hooks=Hooks())
    assert done.warm_up is not None and done.warm_up.manifest.status == "done"
    assert len(steps(tmp_path / "out" / "sft")) == 200
    assert done.manifest.warm_up == "sft" and done.as_dict()["warm_up"]["steps"] == 200
    # A checkpoint can answer already.
    other = options(tmp_path, "repeating", trust=True, model=str(done.folder), out=tmp_path / "b")
    assert plan_training(other, TOYS).warm_up is None


def test_of_several_processes_the_first_keeps_the_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = options(tmp_path, "repeating?steps=0", trust=True)
    monkeypatch.setenv("RANK", "1")
    told: list[TrainProgress] = []
    train(asked, told.append)
    assert told == [] and (tmp_path / "out" / "final" / "config.json").is_file()
    assert not list((tmp_path / "out").rglob("train.json*"))


def test_no_process_teaches_again_what_is_taught(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first one goes past the stage that is done; one that stayed would wait for it there."""
    asked = options(tmp_path, "repeating?steps=2&fails_at=1", trust=True)
    with pytest.raises(MlxError):
        train(asked)
    taught = tmp_path / "out" / "sft" / "final"
    taught.rename(tmp_path / "kept")
    monkeypatch.setenv("RANK", "1")
    train(asked)
    assert (tmp_path / "out" / "final").is_dir() and not taught.exists()


def test_strangers_runs_are_learned_from_but_not_acted_on(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="one: 3 steps left out: somebody else recorded them"):
        plan_training(options(tmp_path, "repeating"), TOYS)
    trusted = plan_training(options(tmp_path, "repeating", trust=True), TOYS)
    assert all(example.state.own for example in trusted.corpus.examples)
    assert plan_training(options(tmp_path, "counting"), TOYS).corpus.examples


def test_the_unfinished_training_that_is_the_same_is_found(tmp_path: Path) -> None:
    root = tmp_path / "trained"
    asked = options(tmp_path, "counting?fails_at=2", out=root / "a")
    plan = plan_training(asked, TOYS)
    assert unfinished(plan, root) is None
    with pytest.raises(MlxError):
        train(asked)
    assert unfinished(plan, root) == root / "a"
    assert found(plan) == Training(root / "a").manifest
    other = plan_training(options(tmp_path, "counting?fails_at=3", out=root / "b"), TOYS)
    assert unfinished(other, root) is None
    train(asked)
    assert unfinished(plan, root) is None


def test_figures_are_means_over_a_tenth_of_the_steps_at_each_end() -> None:
    told = [
        TrainProgress(step=n, figures={"reward": float(n), "kl": float("nan"), "only": 1.0})
        for n in range(20)
    ]
    figures = Figures.of(told)
    assert (figures.steps, figures.window) == (20, 2)
    assert figures.first == {"reward": 0.5, "only": 1.0}
    assert figures.last["reward"] == 18.5
    assert Figures.of([]) == Figures()


def test_figures_that_are_no_numbers_read_back(tmp_path: Path) -> None:
    writer = TrainWriter(tmp_path)
    assert writer.add(TrainProgress(step=1, figures={"kl": float("inf"), "loss": float("nan")}))
    assert not writer.add(TrainProgress(step=1))
    writer.close()
    (again,) = TrainWriter(tmp_path).steps
    assert again.figures["kl"] == float("inf")
    assert again.figures["loss"] != again.figures["loss"]


def test_fields_of_a_later_version_are_ignored(tmp_path: Path) -> None:
    train(options(tmp_path))
    raw = json.loads((tmp_path / "out" / "train.json").read_text())
    assert TrainManifest.model_validate({**raw, "new": 1}).status == "done"


def test_train_is_the_packages_own() -> None:
    import mlxlab
    import mlxlab.api.training

    assert mlxlab.train is mlxlab.api.training.train
    assert mlxlab.Training is Training
