"""The export for verl: which states, its columns, and the arena's reward in a fresh interpreter."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from mlxlab.cli.main import main
from mlxlab.core.errors import UsageError
from mlxlab.core.records import Completion
from mlxlab.core.registry import Registry
from mlxlab.core.training.arena import Arena
from mlxlab.core.training.examples import gather
from mlxlab.core.training.states import Taken
from mlxlab.plugins.training.choosing import pool, without_ideas
from mlxlab.plugins.training.verl import reward as scoring

RUN = "run --task generated:linear/0 --scaffold recipe --policy random --seed 1 --steps"


def recorded(out: Path, steps: int, *more: str) -> Path:
    assert main([*RUN.split(), str(steps), *more, "--out", str(out)]) == 0
    return next(path.parent for path in out.glob("*/run.json"))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return recorded(tmp_path_factory.mktemp("runs"), 2)


@pytest.fixture
def strange(run: Path, tmp_path: Path) -> Path:
    """The run, as somebody else would have recorded it."""
    copy = tmp_path / "elsewhere" / run.name
    shutil.copytree(run, copy)
    manifest = json.loads((copy / "run.json").read_text())
    (copy / "run.json").write_text(json.dumps({**manifest, "origin": "0" * 64}))
    return copy


def exported(run: Path, folder: Path, form: str = "verl") -> Path:
    command = ["runs", "export", str(run), "--format", form, "--output", str(folder)]
    assert main(command) == 0
    return folder


def rows(folder: Path) -> list[dict[str, Any]]:
    import pyarrow.parquet as pq

    found: list[dict[str, Any]] = pq.read_table(folder / "train.parquet").to_pylist()
    return found


def test_rows_have_the_columns_that_verl_reads(run: Path, tmp_path: Path) -> None:
    there = rows(exported(run, tmp_path / "out"))
    states = [example.state for example in gather([run]).examples]
    assert len(there) == len(states) == 2
    for row, state in zip(there, states, strict=True):
        assert set(row) == {"data_source", "prompt", "ability", "reward_model", "extra_info"}
        assert row["prompt"] == [
            {"role": each.role, "content": each.content} for each in state.messages()
        ]
        assert row["reward_model"] == {"style": "rule", "ground_truth": ""}
        assert row["extra_info"]["state"] == state.id


def test_a_fresh_interpreter_gives_the_rewards_of_the_arena(run: Path, tmp_path: Path) -> None:
    folder = exported(run, tmp_path / "out")
    extra = rows(folder)[1]["extra_info"]
    answers = [next(each.text for each in gather([run]).examples if each.score), "no recipe at all"]
    program = (
        "import importlib.util, json, sys\n"
        f"spec = importlib.util.spec_from_file_location('reward', {str(folder / 'reward.py')!r})\n"
        "module = importlib.util.module_from_spec(spec)\n"
        "spec.loader.exec_module(module)\n"
        "extra, answers = json.load(sys.stdin)\n"
        "said = [module.compute_score('mlxlab', text, '', extra) for text in answers]\n"
        "print(json.dumps(said))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        input=json.dumps([extra, answers]),
        capture_output=True,
        text=True,
        check=True,
    )
    said = json.loads(done.stdout.splitlines()[-1])
    state = gather([run]).examples[1].state
    reward = Registry.installed().create("reward", "ml-agent").instance
    with Arena({"r": reward}) as arena:
        taken = arena.take([state] * 2, [Completion(text=text) for text in answers])
    assert [each["score"] for each in said] == [each.rewards["r"].value for each in taken]
    assert [each["valued"] for each in said] == [1.0, 1.0]
    assert said[0]["score"] != said[1]["score"]


def test_options_are_kept_and_wrong_ones_are_told(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = exported(run, tmp_path / "out", "verl?reward=improvement&workers=1")
    settings = json.loads((folder / "mlxlab.json").read_text())
    assert (settings["reward"], settings["workers"]) == ("improvement", 1)
    command = ["runs", "export", str(run), "--format"]
    assert main([*command, "yaml"]) == 2
    assert "There is no export 'yaml'" in capsys.readouterr().err
    assert main([*command, "verl"]) == 2
    assert "--output FOLDER" in capsys.readouterr().err


def test_states_that_only_differ_in_ideas_are_one_row_without_them(tmp_path: Path) -> None:
    ideas = ("grow a forest", "scale it")
    runs = [recorded(tmp_path / idea, 1, "--idea", idea) for idea in ideas]
    command = ["runs", "export", *map(str, runs), "--output"]
    for form in ("keep", "strip"):
        folder = str(tmp_path / form)
        assert main([*command, folder, "--format", f"verl?ideas={form}"]) == 0
    kept, left = rows(tmp_path / "keep"), rows(tmp_path / "strip")
    assert [idea in str(row["prompt"]) for idea, row in zip(ideas, kept, strict=True)] == [True] * 2
    assert [row["extra_info"]["index"] for row in kept] == [0, 1]
    trained = pool(gather(runs), without_ideas).states
    assert [row["extra_info"]["state"] for row in left] == [state.id for state in trained]
    assert len(left) == 1
    assert not any(idea in str(left[0]["prompt"]) for idea in ideas)


def test_strangers_runs_are_refused_unless_they_are_trusted(
    run: Path, strange: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["runs", "export", str(strange), "--output", str(tmp_path / "out"), "--format"]
    assert main([*command, "verl"]) == 2
    said = capsys.readouterr().err
    assert f"Somebody else recorded {run.name}: no action would be carried out there" in said
    assert "--format 'verl?trust=true'" in said
    assert len(said.splitlines()) == 1
    assert not (tmp_path / "out").exists()
    trusted = exported(strange, tmp_path / "out", "verl?trust=true")
    own = exported(run, tmp_path / "own")
    answer = next(each.text for each in gather([run]).examples if each.score)
    scores = [
        scoring.scorer(folder)(answer, rows(folder)[1]["extra_info"]) for folder in (trusted, own)
    ]
    assert scores[0] == scores[1]
    assert scores[0]["valued"] == 1.0


def test_runs_that_become_a_strangers_are_not_scored_as_if_they_were_bad(
    run: Path, strange: Path, tmp_path: Path
) -> None:
    folder = exported(run, tmp_path / "out")
    extra = {**rows(folder)[0]["extra_info"], "run": str(strange)}
    with pytest.raises(UsageError, match=r"this user did not record the run.*verl\?trust=true"):
        scoring.scorer(folder)("any answer", extra)


def test_private_scores_are_exported_to_no_trainer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = recorded(tmp_path / "runs", 1, "--feedback", "private")
    command = ["runs", "export", str(shown), "--output", str(tmp_path / "out"), "--format"]
    assert main([*command, "verl?trust=true"]) == 2
    assert f"The agent of {shown.name} was shown private scores" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_an_action_without_a_reward_is_told_of(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = exported(run, tmp_path / "board", "verl?reward=human-rank&missing=-1")
    example = next(each for each in gather([run]).examples if each.score)
    extra = {"run": str(run), "state": example.state.id}
    with pytest.warns(RuntimeWarning, match=r"no reward and is scored -1: .*board"):
        said = scoring.scorer(folder)(example.text, extra)
    assert said == {"score": -1.0, "valued": 0.0}

    class Broken:
        def submit(self, *_: object) -> Future[Taken]:
            answer: Future[Taken] = Future()
            answer.set_result(Taken(None, None, failed="The sandbox is gone."))
            return answer

    monkeypatch.setattr(scoring, "_arena", lambda *_: Broken())
    with pytest.warns(RuntimeWarning, match=r"scored -1: The sandbox is gone\."):
        assert scoring.scorer(folder)(example.text, extra) == said
