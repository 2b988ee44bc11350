from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from mlxlab.api import RunFolder
from mlxlab.cli.records.export import export
from mlxlab.cli.records.rows import rows, schema
from mlxlab.core.records import Completion, Usage
from tests.cli.conftest import TOY_RUN, Place


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def keys(value: Any) -> set[str]:
    """Every key anywhere in a JSON value."""
    if isinstance(value, dict):
        return set(value) | {k for item in value.values() for k in keys(item)}
    if isinstance(value, list):
        return {k for item in value for k in keys(item)}
    return set()


@pytest.fixture
def damaged(place: Place, recorded: Place) -> Place:
    """Runs of which all but one cannot be read."""
    runs = place.work / "runs"
    shutil.copytree(recorded.run(), runs / "a-good")
    for name, text in {
        "b-torn": '{"schema": 1, "run_id"',
        "c-later": '{"schema": 99}',
        "d-list": "[]",
        "e-deep": "[" * 100_000,
        "f-bytes": "\udcff\x1b[31m",
        "g-part": '{"schema": 1, "run_id": "\\u001b[2J"}',
    }.items():
        (runs / name).mkdir()
        (runs / name / "run.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    (runs / "h-empty").mkdir()
    (runs / "stray.txt").write_text("")
    return place


def test_list(recorded: Place) -> None:
    done = recorded.mlx("runs", "list")
    assert done.returncode == 0
    head, line = done.stdout.splitlines()
    assert head.split() == [
        "RUN", "TASK", "SCAFFOLD", "POLICY", "STATUS", "STEPS", "PUBLIC", "PRIVATE", "COST", "AGE",
    ]  # fmt: skip
    assert line.startswith(recorded.run().name)
    assert " done " in line and " 12/12 " in line
    (found,) = json.loads(recorded.mlx("runs", "list", "--json").stdout)
    result = RunFolder(recorded.run())
    best = result.manifest().best
    assert best is not None
    assert found["best_step"] == best.step
    assert found["private_score"] == result.private_scores()[best.step].score


def test_list_where_there_is_nothing(place: Place) -> None:
    done = place.mlx("runs", "list")
    assert done.returncode == 0
    assert "No runs in runs" in done.stdout
    assert json.loads(place.mlx("runs", "list", "--json").stdout) == []


def test_runs_that_cannot_be_read_are_named_with_the_reason(damaged: Place) -> None:
    done = damaged.mlx("runs", "list")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("unreadable: ") == 6
    assert "schema 99; this version reads schema 1" in done.stdout
    assert "\x1b" not in done.stdout
    found = json.loads(damaged.mlx("runs", "list", "--json").stdout)
    assert [one["status"] for one in found] == ["done"] + ["unreadable"] * 6
    for name in ("b-torn", "c-later", "e-deep"):
        shown = damaged.mlx("runs", "show", name)
        assert shown.returncode == 1
        assert shown.stderr.startswith("mlx: ")
        assert shown.stderr.count("\n") == 1


def test_a_run_that_was_killed_is_not_said_to_run(place: Place) -> None:
    process = place.start(*TOY_RUN, "--policy", "writer?latency_s=0.2", "--steps", "50")
    assert process.stderr is not None
    for _ in range(3):
        process.stderr.readline()
    (running,) = json.loads(place.mlx("runs", "list", "--json").stdout)
    process.kill()
    process.communicate()
    (killed,) = json.loads(place.mlx("runs", "list", "--json").stdout)
    assert (running["status"], killed["status"]) == ("running", "killed")


def test_show(recorded: Place) -> None:
    name = recorded.run().name
    done = recorded.mlx("runs", "show", name[:15])
    assert done.returncode == 0
    assert "\x1b" not in done.stdout
    for step in RunFolder(recorded.run()).steps():
        assert f" {step.step} {step.decision.operator}" in done.stdout
    assert "PRIVATE" not in done.stdout and "private " not in done.stdout.lower()
    shown = recorded.mlx("runs", "show", name, "--private").stdout
    assert "PRIVATE" in shown and "gap closed" in shown


def test_a_reward_has_its_column_however_it_was_written(place: Place) -> None:
    words = ("--reward", "haste:10", "--reward", "weighted:haste%253A10=1")
    done = place.mlx(*TOY_RUN, *words, "--policy", "writer", "--steps", "3", "--quiet")
    folder = RunFolder(place.run())
    specs = [ref.spec for ref in folder.manifest().rewards]
    assert specs[:2] == ["constant", "haste:10.0"]
    assert all(list(step.rewards) == specs for step in folder.steps())
    assert "constant 0.5, haste:10.0 " in done.stdout and "(2 of 3 steps)" in done.stdout
    shown = place.mlx("runs", "show", "latest").stdout
    # So early runs were recorded: their steps name the reward as it was typed.
    steps = folder.path / "steps.jsonl"
    steps.write_text(steps.read_text().replace('"haste:10.0"', '"haste:10"'))
    assert place.mlx("runs", "show", "latest").stdout == shown
    (row,) = [line.split() for line in shown.splitlines() if line.split()[:1] == ["2"]]
    assert row[-6:-3] == ["0.5", "0.99", "0.99"]
    exported = lines(place.mlx("runs", "export", "latest").stdout)
    assert [row["reward.haste:10.0"] is None for row in exported] == [True, False, False]


def test_show_tells_of_plugins_that_failed(recorded: Place) -> None:
    path = recorded.run() / "run.json"
    manifest = json.loads(path.read_text())
    manifest["broken"] = {"reward 'bad' of acme 1.2": "judge, 3 times: ValueError: no\x1b[2J luck"}
    path.write_text(json.dumps(manifest))
    (line,) = (
        each
        for each in recorded.mlx("runs", "show", "latest").stdout.splitlines()
        if each.startswith("failed")
    )
    assert line.split(maxsplit=1)[1].startswith("reward 'bad' of acme 1.2: judge, 3 times: ")
    assert "\x1b" not in line


def test_show_json_holds_private_scores_only_if_asked(recorded: Place) -> None:
    name = recorded.run().name
    plain = json.loads(recorded.mlx("runs", "show", name, "--json").stdout)
    assert plain["manifest"]["run_id"] == name
    assert [step["step"] for step in plain["steps"]] == list(range(12))
    assert "private_score" not in keys(plain)
    told = json.loads(recorded.mlx("runs", "show", name, "--json", "--private").stdout)
    scores = RunFolder(recorded.run()).private_scores()
    assert [s["private_score"] for s in told["steps"]] == [scores[n].score for n in range(12)]


def test_show_does_not_open_the_private_scores_unasked(place: Place, recorded: Place) -> None:
    run = place.work / "runs" / "copy"
    shutil.copytree(recorded.run(), run)
    (run / "scores.jsonl").write_text("{}\n")
    assert place.mlx("runs", "show", "copy").returncode == 0
    assert place.mlx("runs", "show", "copy", "--json").returncode == 0
    assert place.mlx("runs", "show", "copy", "--private").returncode == 1


def test_show_one_step(recorded: Place) -> None:
    name = recorded.run().name
    done = recorded.mlx("runs", "show", name, "--step", "2")
    assert "--- prompt: user" in done.stdout
    assert "Predict y = id." in done.stdout
    assert "--- reasoning" in done.stdout
    assert "\\x1b[2J" in done.stdout and "\x1b" not in done.stdout
    assert "private" not in done.stdout
    assert "private score" in recorded.mlx("runs", "show", name, "--step", "2", "--private").stdout
    row = json.loads(recorded.mlx("runs", "show", name, "--step", "2", "--json").stdout)
    assert row["prompt"][0]["role"] == "user"
    missing = recorded.mlx("runs", "show", name, "--step", "12")
    assert missing.returncode == 2
    assert "no step 12. Recorded: 12 steps, numbered from 0." in missing.stderr


def test_export_holds_what_was_recorded(recorded: Place) -> None:
    folder = RunFolder(recorded.run())
    found = lines(recorded.mlx("runs", "export", recorded.run().name).stdout)
    assert len(found) == 12
    assert not any("private" in name for name in found[0])
    for row, step in zip(found, folder.steps(), strict=True):
        assert step.prompt is not None and step.completion is not None
        messages = [message.model_dump() for message in folder.prompt(step.prompt)]
        assert row["prompt"] == messages
        assert row["completion"] == step.completion.text
        assert row["reasoning"] == step.completion.reasoning
        assert row["parent"] == step.parent
        assert row["status"] == step.observation.status
        assert row["reward.constant"] == 0.5
        assert (row["prompt_tokens"], row["cost_usd"]) == (100, 0.001)
        assert json.loads(row["action"])["code"] == row["code"]


def test_export_with_private_scores(recorded: Place) -> None:
    found = lines(recorded.mlx("runs", "export", recorded.run().name, "--private").stdout)
    scores = RunFolder(recorded.run()).private_scores()
    assert [row["private_score"] for row in found] == [scores[row["step"]].score for row in found]


def test_parquet_and_jsonl_say_the_same(recorded: Place, tmp_path: Path) -> None:
    name = recorded.run().name
    target = tmp_path / "made" / "steps.parquet"
    args = ("runs", "export", name, name, "--format", "parquet", "--output", str(target))
    done = recorded.mlx(*args)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    found = lines(recorded.mlx("runs", "export", name, name).stdout)
    assert pq.read_table(target).to_pylist() == found
    assert [path.name for path in target.parent.iterdir()] == ["steps.parquet"]


def test_a_parquet_column_has_its_type_when_it_holds_nothing(tmp_path: Path) -> None:
    target = tmp_path / "empty.parquet"
    export([], "parquet", target, private=True)
    types = {field.name: str(field.type) for field in pq.read_schema(target)}
    assert types["logprobs"].startswith("list<") and "double" in types["logprobs"]
    assert (types["probe_score"], types["exit_code"]) == ("double", "int64")
    assert (types["reasoning"], types["private_score"]) == ("string", "double")


def test_parquet_needs_a_file(recorded: Place) -> None:
    done = recorded.mlx("runs", "export", recorded.run().name, "--format", "parquet")
    assert done.returncode == 2
    assert "--output FILE" in done.stderr


def test_without_pyarrow_the_extra_is_named(recorded: Place, tmp_path: Path) -> None:
    (tmp_path / "pyarrow").mkdir()
    (tmp_path / "pyarrow" / "__init__.py").write_text("raise ImportError('not here')")
    path = f"{tmp_path}:{recorded.env['PYTHONPATH']}"
    target = tmp_path / "x.parquet"
    done = recorded.mlx(
        "runs", "export", recorded.run().name, "--format", "parquet", "--output", str(target),
        PYTHONPATH=path,
    )  # fmt: skip
    assert done.returncode == 2
    assert "pip install 'mlxlab[parquet]'" in done.stderr
    assert not list(tmp_path.glob("x.*"))


def test_an_export_that_fails_leaves_the_file_that_was_there(
    recorded: Place, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(recorded.run(), run)
    (run / "steps.jsonl").write_text("{}\n")
    target = tmp_path / "kept.jsonl"
    target.write_text("kept")
    done = recorded.mlx("runs", "export", str(run), "--output", str(target))
    assert done.returncode == 1
    assert "steps.jsonl, line 1: " in done.stderr
    assert target.read_text() == "kept"


def test_a_step_is_summed_over_its_calls(recorded: Place, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(recorded.run(), run)
    folder = RunFolder(run)
    first = folder.calls()[0]
    assert first.completion is not None
    usage = Usage(prompt_tokens=5, completion_tokens=None)
    more = Completion(text="again", usage=usage, cost_usd=0.5, latency_s=2.0)
    with (run / "calls.jsonl").open("a") as stream:
        call = first.model_copy(update={"completion": more, "index": 1})
        stream.write(call.model_dump_json(by_alias=True) + "\n")
    columns = schema([folder.manifest()], private=False)
    row = next(rows(folder, columns))
    assert (row["calls"], row["prompt_tokens"], row["completion_tokens"]) == (2, 105, None)
    assert row["cost_usd"] == pytest.approx(0.501)
    assert row["latency_s"] == pytest.approx(2.0 + first.completion.latency_s)


def test_columns_do_not_depend_on_the_values(recorded: Place) -> None:
    folder = RunFolder(recorded.run())
    columns = schema([folder.manifest()], private=True)
    started = time.monotonic()
    found = list(rows(folder, columns))
    assert time.monotonic() - started < 10
    assert all(list(row) == list(columns) for row in found)
