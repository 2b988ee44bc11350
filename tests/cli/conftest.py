"""A made-up third-party distribution beside mlxlab, and `mlx` as a process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOY = {
    "task.toy": "tests.cli.toyparts:Toy",
    "scaffold.tree": "tests.cli.toyparts:Tree",
    "scaffold.blocking": "tests.cli.toyparts:Blocking",
    "policy.writer": "tests.cli.toyparts:Writer",
    "sandbox.memory": "tests.cli.toyparts:memory",
    "reward.constant": "tests.cli.toyparts:constant",
}
TOY_RUN = ("run", "--task", "toy", "--scaffold", "tree", "--sandbox", "memory",
           "--reward", "constant")  # fmt: skip

Mlx = Callable[..., "subprocess.CompletedProcess[str]"]


def distribution(
    folder: Path, name: str, components: dict[str, str], hooks: dict[str, str] | None = None
) -> None:
    """Write a distribution's metadata, as an installer would leave it."""
    info = folder / f"{name.replace('-', '_')}-1.2.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n")
    groups = {"mlxlab.components": components, "mlxlab": hooks or {}}
    lines = []
    for group, entries in groups.items():
        lines += [f"[{group}]", *(f"{key} = {value}" for key, value in entries.items())]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder on the path of every `mlx` process, with the toy distribution in it."""
    folder = tmp_path / "site"
    distribution(folder, "toy-parts", TOY)
    return folder


@pytest.fixture
def environment(site: Path) -> dict[str, str]:
    path = os.pathsep.join([str(site), str(ROOT)])
    kept = {k: v for k, v in os.environ.items() if not k.startswith("MLX_")}
    return {**kept, "PYTHONPATH": path, "PYTHONWARNINGS": "error"}


@pytest.fixture
def mlx(environment: dict[str, str], tmp_path: Path) -> Mlx:
    """Run `mlx` in an empty folder."""
    work = tmp_path / "work"
    work.mkdir()

    def run(*args: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "mlxlab", *args],
            cwd=work,
            env={**environment, **(env or {})},
            capture_output=True,
            text=True,
            timeout=120,
        )

    return run
