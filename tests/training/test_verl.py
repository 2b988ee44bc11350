"""The export for verl: its columns, and the same reward as the arena's in a fresh interpreter."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from mlxlab.cli.main import main
from mlxlab.core.records import Completion
from mlxlab.core.registry import Registry
from mlxlab.core.training.arena import Arena
from mlxlab.core.training.examples import gather


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs")
    command = "run --task generated:linear/0 --scaffold recipe --policy random --steps 2 --seed 1"
    assert main([*command.split(), "--out", str(out)]) == 0
    return next(path.parent for path in out.glob("*/run.json"))


def exported(run: Path, folder: Path, form: str = "verl") -> Path:
    command = ["runs", "export", str(run), "--format", form, "--output", str(folder)]
    assert main(command) == 0
    return folder


def test_rows_have_the_columns_that_verl_reads(run: Path, tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    rows = pq.read_table(exported(run, tmp_path / "out") / "train.parquet").to_pylist()
    states = [example.state for example in gather([run]).examples]
    assert len(rows) == len(states) == 2
    for row, state in zip(rows, states, strict=True):
        assert set(row) == {"data_source", "prompt", "ability", "reward_model", "extra_info"}
        assert row["prompt"] == [
            {"role": each.role, "content": each.content} for each in state.messages()
        ]
        assert row["reward_model"] == {"style": "rule", "ground_truth": ""}
        assert row["extra_info"]["state"] == state.id


def test_a_fresh_interpreter_gives_the_rewards_of_the_arena(run: Path, tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    folder = exported(run, tmp_path / "out")
    extra = pq.read_table(folder / "train.parquet").to_pylist()[1]["extra_info"]
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
