"""The example plugins, as their users have them: installed together, tested, checked, run."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from mlxlab.cli.plugins.new.making import contents
from mlxlab.cli.plugins.new.naming import named
from mlxlab.core.entries import API_VERSION
from mlxlab.core.runs import RunFolder

EXAMPLES = Path(__file__).parents[2] / "examples"
KINDS = {"mlx-best-of-n": "scaffold", "mlx-duration-aware": "reward", "mlx-thrifty": "policy"}
CHECKED = ("best-of-n", "duration-aware", "thrifty:catalog")
LEFT_BEHIND = shutil.ignore_patterns("__pycache__", ".*_cache", ".venv", "dist", "runs")


class Shelf:
    """Copies of the examples, the folder that all are installed into, and one to work in."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.site, self.work = folder, folder / "site", folder / "work"
        self.work.mkdir()
        kept = {name: text for name, text in os.environ.items() if not name.startswith("MLX_")}
        self.env = {**kept, "PYTHONPATH": str(self.site), "OMP_NUM_THREADS": "1"}
        for name in KINDS:
            shutil.copytree(EXAMPLES / name, folder / name, ignore=LEFT_BEHIND)

    def python(self, *words: str, below: str = "work") -> str:
        """What a program prints that has to end well."""
        done = subprocess.run(
            [sys.executable, *words],
            cwd=self.folder / below,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=500,
        )
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return done.stdout


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    """All examples, installed by pip without a network."""
    shelf = Shelf(tmp_path_factory.mktemp("examples"))
    words = ("--no-deps", "--no-build-isolation", "--no-index", "--target", str(shelf.site))
    places = [str(shelf.folder / name) for name in KINDS]
    shelf.python("-m", "pip", "install", "-q", *words, *places)
    return shelf


@pytest.mark.parametrize("name", KINDS)
def test_its_own_tests_pass(shelf: Shelf, name: str) -> None:
    shelf.python("-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", below=name)


@pytest.mark.parametrize("spec", CHECKED)
def test_the_kit_finds_nothing(shelf: Shelf, spec: str) -> None:
    said = shelf.python("-m", "mlxlab", "plugins", "check", spec)
    counts = re.search(r"(\d+) ok, (\d+) gap, 0 FAILED of (\d+) checks\.", said)
    assert counts is not None, said
    assert int(counts[1]) == int(counts[3]) > 40, f"something was not checked: {counts[0]}"


def test_all_three_are_used_at_once(shelf: Shelf) -> None:
    parts = {
        "scaffold": "best-of-n:2",
        "reward": "duration-aware:valid?baseline=0.5&mean_s=1000000&least=0.25",
        "policy": "thrifty:catalog?calls=1",
    }
    words = [word for kind, spec in parts.items() for word in (f"--{kind}", spec)]
    more = ("--task", "generated", "--steps", "4", "--json")
    said: dict[str, Any] = json.loads(
        shelf.python("-W", "error", "-m", "mlxlab", "run", *words, *more)
    )
    steps = RunFolder(shelf.work / said["run_dir"]).steps()
    assert [step.decision.operator for step in steps] == ["draft"] * 2 + ["improve"] * 2
    drafts = {step.step: step.observation.public_score for step in steps[:2]}
    assert steps[2].parent in drafts and all(score is not None for score in drafts.values())
    # A program takes far less than a million seconds, so each has the least weight.
    values = [step.rewards[parts["reward"]].value for step in steps]
    worth = {True: 0.25 * 0.5, False: 0.25 * -0.5}
    assert values == [worth[step.observation.status == "ok"] for step in steps]
    notes = [step.completion.notes for step in steps if step.completion]
    assert [len(each) for each in notes] == [0, 0, 0, 1]
    assert notes[3][0].startswith("answered by the cheap policy")
    recorded = RunFolder(shelf.work / said["run_dir"]).manifest().components
    versions = {part: recorded[part].version for part in ("scaffold", "policy")}
    assert versions == {"scaffold": "mlx-best-of-n 0.1.0", "policy": "mlx-thrifty 0.1.0"}


def test_the_list_has_every_example_and_commands_that_work(shelf: Shelf) -> None:
    text = (EXAMPLES / "README.md").read_text()
    rows = dict(re.findall(r"^\| \[([\w-]+)\]\(\1\) \|.*\| `mlx (run [^`]+)` \|$", text, re.M))
    packages = {path.parent.name for path in EXAMPLES.glob("*/pyproject.toml")}
    assert set(rows) == set(KINDS) == packages
    together = re.findall(r"^\$ mlx (run .+)$", text, re.M)
    assert len(together) == 1
    for command in (*rows.values(), *together):
        shelf.python("-m", "mlxlab", *shlex.split(command), "--print-config")


@pytest.mark.parametrize("name", KINDS)
def test_it_is_laid_out_like_a_new_plugin(name: str) -> None:
    folder, kind = EXAMPLES / name, KINDS[name]
    names = named(kind, name)
    made = contents(names)
    assert [path for path in made if not (folder / path).is_file()] == []
    project = tomllib.loads((folder / "pyproject.toml").read_text())
    new = tomllib.loads(made["pyproject.toml"])
    points = project["project"]["entry-points"]
    assert points["mlxlab.components"] == new["project"]["entry-points"]["mlxlab.components"]
    assert points["mlxlab.api"] == {str(API_VERSION): names.module}
    assert project["project"]["license"] == "Apache-2.0"
    assert (folder / "LICENSE").read_text() == (EXAMPLES.parent / "LICENSE").read_text()
    assert project["tool"] == new["tool"], "what looks at the code is not what a new plugin has"


@pytest.mark.slow
def test_types_hold(shelf: Shelf) -> None:
    sources = [str(shelf.folder / name / part) for name in KINDS for part in ("src", "tests")]
    config = shelf.folder / "mlx-thrifty" / "pyproject.toml"
    shelf.python("-m", "mypy", "--config-file", str(config), *sources)
