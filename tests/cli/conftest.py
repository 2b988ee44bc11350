"""A made-up third-party distribution beside mlxlab, and `mlx` as a process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOY = {
    "task.toy": "tests.cli.toyparts:Toy",
    "scaffold.tree": "tests.cli.toyparts:Tree",
    "scaffold.blocking": "tests.cli.toyparts:Blocking",
    "scaffold.chain": "tests.cli.toyparts:Chain",
    "policy.writer": "tests.cli.toyparts:Writer",
    "sandbox.memory": "tests.cli.toyparts:memory",
    "reward.constant": "tests.cli.toyparts:constant",
    "reward.haste": "tests.cli.toyparts:Haste",
    "trainer.counting": "tests.cli.toytrainers:Counting",
    "trainer.repeating": "tests.cli.toytrainers:Repeating",
}
TOY_RUN = ("run", "--task", "toy", "--scaffold", "tree", "--sandbox", "memory",
           "--reward", "constant")  # fmt: skip


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


def hear_hangups() -> None:
    """Undo what `nohup`, under which tests may run, hands down."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


class Place:
    """A folder to work in, and a folder of distributions that every `mlx` started here sees."""

    def __init__(self, root: Path) -> None:
        self.site, self.work = root / "site", root / "work"
        self.work.mkdir(parents=True)
        distribution(self.site, "toy-parts", TOY)
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("MLX_", "NO_COLOR"))}
        path = os.pathsep.join([str(self.site), str(ROOT)])
        cache = str(root / "cache")
        self.env = {**kept, "PYTHONPATH": path, "PYTHONWARNINGS": "error", "XDG_CACHE_HOME": cache}

    def mlx(self, *args: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Run `mlx` to its end."""
        return subprocess.run(
            [sys.executable, "-m", "mlxlab", *args],
            cwd=self.work,
            env={**self.env, **env},
            capture_output=True,
            text=True,
            timeout=120,
        )

    def start(self, *args: str, **env: str) -> subprocess.Popen[str]:
        """Start `mlx` in a process group of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "mlxlab", *args],
            cwd=self.work,
            env={**self.env, **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=hear_hangups,
        )

    def module(self, name: str, text: str) -> None:
        """Put a module beside the distributions."""
        (self.site / f"{name}.py").write_text(text)

    def run(self) -> Path:
        """The one run folder there is."""
        (found,) = (self.work / "runs").iterdir()
        return found


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A place with one whole run of hostile plans, for tests that only read."""
    place = Place(tmp_path_factory.mktemp("recorded"))
    done = place.mlx(*TOY_RUN, "--policy", "writer?hostile=1", "--steps", "12", "--quiet")
    assert done.returncode == 0, done.stderr
    return place
