"""`mlx run --policy deepseek-r1` against a server on this machine, and without a key."""

import os
import subprocess
import time
from pathlib import Path

from mlxlab.api import RunFolder
from tests.acceptance.support import MLX, mlx, mlx_json
from tests.acceptance.test_faults import GOOD
from tests.loopback import Loopback, error, message

KEY = "sk-never-written-anywhere"
THOUGHT = "I could cheat:\n```python\nraise SystemExit('from a thought')\n```\nbut I will not."


def test_reasoning_is_kept_apart_code_in_it_never_runs_and_cost_is_computed(tmp_path: Path) -> None:
    answer = f"Predict the mean.\n```python\n{GOOD}```"
    script = [
        message(answer, reasoning_content=THOUGHT),
        error(503, "overloaded", retry_after="0"),
        message(f"<think>{THOUGHT}</think>{answer}"),
        message("I have no code today.", reasoning_content=THOUGHT),
        message(answer),
    ]
    words = ["run", "--scaffold", "aide", "--policy", "deepseek-r1", "--task", "temperature"]
    with Loopback(script) as server:
        result = mlx_json(
            *words, "--steps", "3", cwd=tmp_path, DEEPSEEK_API_KEY=KEY, DEEPSEEK_API_BASE=server.url
        )
        assert len(server.requests) == 5
        assert {seen.headers["authorization"] for seen in server.requests} == {f"Bearer {KEY}"}

    assert result["status"] == "done"
    assert result["cost_usd"] > 0
    folder = RunFolder(tmp_path / result["run_dir"])
    steps = folder.steps()
    assert [step.observation.status for step in steps] == ["ok"] * 3
    assert [step.observation.self_score for step in steps] == [7.0] * 3
    assert [len(step.calls) for step in steps] == [1, 1, 2]
    for step in steps[:2]:
        assert step.completion is not None
        assert step.completion.reasoning is not None
        assert "from a thought" in step.completion.reasoning
        assert "from a thought" not in step.completion.text
    calls = folder.calls()
    assert len(calls) == 5
    assert calls[0].completion is not None
    assert calls[0].completion.usage.reasoning_tokens == 300
    assert calls[0].completion.cost_usd
    paid = sum(call.completion.cost_usd or 0 for call in calls if call.completion)
    assert abs(paid - result["cost_usd"]) < 1e-9
    files = [path for path in folder.path.rglob("*") if path.is_file()]
    assert not any(KEY.encode() in path.read_bytes() for path in files)

    again = mlx_json(
        "run", "--policy", f"replay:{folder.path.name}", "--task", "temperature", "--steps", "3",
        cwd=tmp_path,
    )  # fmt: skip
    replayed = RunFolder(tmp_path / again["run_dir"]).steps()
    assert [(s.action, s.next_state) for s in replayed] == [(s.action, s.next_state) for s in steps]


def test_without_a_key_nothing_starts(tmp_path: Path) -> None:
    started = time.monotonic()
    env = {k: v for k, v in os.environ.items() if k != "DEEPSEEK_API_KEY"}
    done = subprocess.run(
        [MLX, "run", "--scaffold", "aide", "--policy", "deepseek-r1"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env=env,
        check=False,
    )
    assert done.returncode == 2
    assert "DEEPSEEK_API_KEY" in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""
    assert list(tmp_path.iterdir()) == []
    assert time.monotonic() - started < 2


def test_a_key_that_is_refused_stops_resumable(tmp_path: Path) -> None:
    with Loopback([error(401, "invalid key")]) as server:
        done = mlx(
            "run", "--policy", "deepseek-r1", "--task", "temperature", "--steps", "2",
            cwd=tmp_path, check=False, DEEPSEEK_API_KEY=KEY, DEEPSEEK_API_BASE=server.url,
        )  # fmt: skip
        assert len(server.requests) == 1
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "--resume" in done.stderr
    assert KEY not in done.stderr
