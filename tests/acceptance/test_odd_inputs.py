"""Inputs that nobody plans for: one line and the right exit status, nothing half-made."""

import shlex
import subprocess
from pathlib import Path

import pytest

from mlxlab.api import list_runs
from tests.acceptance.support import MLX, mlx


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("run --exec-timeout 99999999999h", "longer than a year"),
        ("run --out afile", "no folder"),
        ("run --task latest-thing", "There is no task"),
        ("run --policy replay:none", "Cannot replay"),
        ("run --task folder:no/such", "There is no folder"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(tmp_path: Path, words: str, said: str) -> None:
    (tmp_path / "afile").write_text("")
    done = mlx(*shlex.split(words), cwd=tmp_path, check=False)
    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["afile"]


def test_closed_streams_and_early_closed_pipes(tmp_path: Path) -> None:
    def shell(line: str) -> int:
        line = line.replace("mlx ", f"{shlex.quote(MLX)} ")
        return subprocess.run(
            ["bash", "-c", line], cwd=tmp_path, stderr=subprocess.DEVNULL, check=False
        ).returncode

    run = "mlx run --task temperature --steps 1"
    assert shell(f"{run} 2>&-") == 0
    assert shell(f"{run} >&-") == 0
    assert shell(f"{run} <&- >&- 2>&-") == 0
    assert [folder.manifest().status for folder in list_runs(tmp_path / "runs")] == ["done"] * 3
    assert shell("mlx --help >&-") == 0
    assert shell("mlx runs list | true; exit ${PIPESTATUS[0]}") in {0, 141}


def test_a_replay_names_the_run_it_means_and_refuses_another_tasks(tmp_path: Path) -> None:
    mlx("run", "--task", "temperature", "--steps", "2", cwd=tmp_path)
    mlx("run", "--task", "temperature", "--policy", "replay:latest", "--steps", "1", cwd=tmp_path)
    mlx("run", "--resume", "latest", "--steps", "2", cwd=tmp_path)
    first, second = list_runs(tmp_path / "runs")
    assert [s.action for s in first.steps()] == [s.action for s in second.steps()]
    other = mlx(
        "run", "--task", "mnist", "--policy", "replay:latest", "--steps", "1",
        cwd=tmp_path, check=False,
    )  # fmt: skip
    assert other.returncode == 1
    assert "task is mnist, was temperature" in other.stderr
