"""`mlx pipeline run` before anything runs, and what a terminal shows while it does."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console

from mlxlab.api.pipeline import StageRecord
from mlxlab.cli.main import main
from mlxlab.cli.pipeline.lines import LineView
from mlxlab.cli.pipeline.live import LiveView
from mlxlab.core.trainer import TrainProgress
from tests.api.test_pipeline import SMALL, write


def run(*words: str) -> int:
    return main(["pipeline", "run", *words])


def test_a_dry_run_names_every_stage_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, out = write(tmp_path), tmp_path / "out"
    assert run(str(file), "--out", str(out), "--seed", "4", "--dry-run", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found["stages"]) == ["collect-expert", "sft", "grpo", "binary", "evaluate",
                                     "report"]  # fmt: skip
    assert (found["seed"], found["lacking"]) == (4, [])
    steps = found["stages"]["collect-expert"][0]
    assert (steps["value"], steps["basis"]) == ("12", "2 tasks x 2 runs x 3 steps")
    assert run(str(file), "--out", str(out), "--dry-run") == 0
    told = capsys.readouterr().out
    assert "generated:linear/0, generated:linear/1" in told and "Nothing was started" in told
    assert not out.exists()


def test_what_the_machine_lacks_is_told_and_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    text = SMALL.replace("steps = 3", 'steps = 3\npolicy = "gpt-4o"')
    file, out = write(tmp_path, text), tmp_path / "out"
    assert run(str(file), "--out", str(out), "--dry-run") == 0
    assert "OPENAI_API_KEY" in capsys.readouterr().out
    assert run(str(file), "--out", str(out)) == 2
    assert "OPENAI_API_KEY" in capsys.readouterr().err
    assert not out.exists()


def test_a_mistake_is_one_line_and_status_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for file in (write(tmp_path, "tsaks = []"), tmp_path / "none.toml"):
        assert run(str(file)) == 2
        err = capsys.readouterr().err
        assert err.startswith("mlx: ") and err.count("\n") == 1 and str(file) in err


def record(stage: str, status: str = "done") -> StageRecord:
    return StageRecord.model_validate({
        "stage": stage, "key": "", "status": status, "seconds": 65.0,
        "began_at": datetime.now(UTC),
    })  # fmt: skip


def frame(view: LiveView, console: Console) -> str:
    with console.capture() as capture:
        console.print(view)
    return capture.get()


def test_the_screen_ticks_what_is_done() -> None:
    console = Console(width=80, force_terminal=True, color_system=None, legacy_windows=False)
    view = LiveView(console)
    view.plan(["collect", "sft", "evaluate"])
    try:
        view.kept(record("collect"))
        view.begin("sft", "steps is 2, was 1")
        view.note("a \x1b[31mline")
        view.count("single actions", 3, 8)
        told = frame(view, console)
        assert "collect   1m 05s" in told and "> sft" in told and "   evaluate" in told
        assert "single actions, 3 of 8" in told and "steps is 2, was 1" in told
        assert "\x1b[31m" not in told
        view.end(record("sft", "failed"))
        told = frame(view, console)
        assert "> sft" not in told and "sft       1m 05s" in told
    finally:
        view.close()


def test_lines_tell_each_stage(capsys: pytest.CaptureFixture[str]) -> None:
    view = LineView()
    view.plan(["collect", "sft"])
    view.kept(record("collect"))
    view.begin("sft", "")
    view.step(TrainProgress(step=3, total=3, figures={"loss": 0.5}))
    view.end(record("sft"))
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "stages: collect, sft"
    assert lines[1] == "collect: done before, in 1m 05s"
    assert lines[2].startswith("[2/2] sft")
    assert "step 3/3" in lines[3] and "loss 0.500" in lines[3]
    assert lines[4] == "sft: done, in 1m 05s"
