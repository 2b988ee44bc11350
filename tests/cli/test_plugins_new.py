"""A plugin of each kind: written, installed, put to its own tests and to the kit's, and used."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
import zipfile
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import pytest

from mlxlab.cli.commands.plugins import configure
from mlxlab.cli.main import main
from mlxlab.cli.plugins.new.making import contents
from mlxlab.cli.plugins.new.naming import KINDS, MOST_CHARS, named
from mlxlab.core.errors import UsageError
from mlxlab.core.runs import RunFolder
from mlxlab.testing import SandboxConformance
from mlxlab.testing.kit import checks_of

ROOT = Path(__file__).parents[2]
QUICK = tuple(kind for kind in KINDS if kind != "sandbox")


class Zoo:
    """A folder of new plugins, and what sees them installed."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.site, self.work = folder, folder / "site", folder / "work"
        self.work.mkdir()
        kept = {name: text for name, text in os.environ.items() if not name.startswith("MLX_")}
        self.env = {**kept, "PYTHONPATH": str(self.site), "OMP_NUM_THREADS": "1"}

    def python(self, *words: str, below: str = "work") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *words],
            cwd=self.folder / below,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=500,
        )

    def mlx(self, *words: str) -> dict[str, Any]:
        """What `mlx ... --json` prints."""
        done = self.python("-W", "error", "-m", "mlxlab", *words, "--json")
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        found: dict[str, Any] = json.loads(done.stdout)
        return found


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Zoo:
    """One plugin of each kind, all installed by pip into one folder."""
    zoo = Zoo(tmp_path_factory.mktemp("zoo"))
    places = [zoo.folder / f"zoo-{kind}" for kind in KINDS]
    for kind, place in zip(KINDS, places, strict=True):
        assert main(["plugins", "new", place.name, "--kind", kind, "--out", str(place)]) == 0
    words = ("--no-deps", "--no-build-isolation", "--no-index", "--target", str(zoo.site))
    done = zoo.python("-m", "pip", "install", "-q", *words, *map(str, places))
    assert done.returncode == 0, done.stderr
    return zoo


def own_tests(zoo: Zoo, kind: str) -> None:
    words = ("-q", "-W", "error", "-p", "no:cacheprovider")
    done = zoo.python("-m", "pytest", *words, below=f"zoo-{kind}")
    assert done.returncode == 0, done.stdout[-3000:]


@pytest.mark.parametrize("kind", QUICK)
def test_its_own_tests_pass(zoo: Zoo, kind: str) -> None:
    own_tests(zoo, kind)


@pytest.mark.slow
def test_a_sandboxes_own_tests_pass(zoo: Zoo) -> None:
    own_tests(zoo, "sandbox")


@pytest.mark.parametrize("kind", QUICK)
def test_the_kit_finds_nothing(zoo: Zoo, kind: str) -> None:
    word = f"{kind}.zoo-{kind}"
    done = zoo.python("-m", "mlxlab", "plugins", "check", word, "--strict")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr


@pytest.mark.slow
def test_the_kit_finds_nothing_in_a_sandbox(zoo: Zoo) -> None:
    done = zoo.python("-m", "mlxlab", "plugins", "check", "zoo-sandbox", "--strict")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr


def test_what_a_sandbox_says_of_itself_reaches_its_suite(zoo: Zoo) -> None:
    """The checks of all kinds, the one that `conformance` is for, and quick ones of its setup."""
    target = "zoo_sandbox.sandbox:ZooSandbox"
    words = ("sandbox", "sandbox.zoo-sandbox", target, "zoo-sandbox", "zoo-sandbox")
    names = ("temporary_files", "without_inputs_there_are_none")
    tried = {f"sandbox.{name}" for name in names}
    others = {check.id for check in checks_of(SandboxConformance)} - tried
    module = "mlxlab.cli.plugins.trial"
    found = []
    for suite, without in (("component", ""), ("sandbox", ",".join(sorted(others)))):
        done = zoo.python("-m", module, *words, suite, without)
        assert done.returncode == 0, done.stderr
        found += [json.loads(line).get("result") for line in done.stdout.splitlines()]
    results = {result[0]: result[1] for result in filter(None, found)}
    assert tried < set(results) and set(results.values()) == {"ok"}, found


def test_all_are_used(zoo: Zoo) -> None:
    kinds = ("task", "scaffold", "policy", "sandbox", "reward")
    parts = [word for kind in kinds for word in (f"--{kind}", f"zoo-{kind}")]
    first = zoo.mlx("run", *parts, "--steps", "3")
    steps = RunFolder(zoo.work / first["run_dir"]).steps()
    assert [step.observation.status for step in steps] == ["ok"] * 3
    assert [step.rewards["zoo-reward"].value for step in steps] == [None, None, 0.0]
    trained = zoo.mlx("train", "--trainer", "zoo-trainer?keep=1", "--out", "trained/best")
    assert (trained["status"], trained["steps"]) == ("done", 1)
    checked = zoo.mlx("plugins", "check", f"policy.{trained['policy']}", "--strict")
    assert checked["counts"]["FAILED"] == 0
    again = ("--policy", trained["policy"], "--sandbox", "zoo-sandbox", "--steps", "1")
    second = zoo.mlx("run", *parts[:4], *again)
    assert second["best"]["public_score"] == first["best"]["public_score"]
    done = zoo.python("-m", "mlxlab", "zoo-command")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert len(lines) == 2 and "zoo-policy  runs 1  steps 3  ok 3" in lines[0]
    assert "/trained/best/final  runs 1  steps 1  ok 1" in lines[1]


@pytest.mark.parametrize(
    "name", ["q", "w" * MOST_CHARS, "Long.Name_of" + "-plugin" * 3 + "-reward"]
)
def test_short_and_long_names_are_formatted_and_linted(name: str, tmp_path: Path) -> None:
    assert len(name) <= MOST_CHARS
    for kind in KINDS:
        assert main(["plugins", "new", name, "--kind", kind, "--out", str(tmp_path / kind)]) == 0
    for words in (["check", "--no-cache"], ["format", "--check", "--no-cache"]):
        ruff = [sys.executable, "-m", "ruff", *words, str(tmp_path)]
        done = subprocess.run(ruff, capture_output=True, text=True, cwd=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_types_hold(zoo: Zoo) -> None:
    sources = [
        str(zoo.folder / f"zoo-{kind}" / part) for kind in KINDS for part in ("src", "tests")
    ]
    config = zoo.folder / "zoo-task" / "pyproject.toml"
    done = zoo.python("-m", "mypy", "--config-file", str(config), *sources)
    assert done.returncode == 0, done.stdout


def test_templates_are_in_the_wheel(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    folder = "mlxlab/cli/plugins/new/templates"
    there = {str(path.relative_to(ROOT)) for path in (ROOT / folder).rglob("*.in")}
    inside = zipfile.ZipFile(wheel).namelist()
    assert {name for name in inside if name.startswith(folder)} == there


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_left_to_fill_in(kind: str) -> None:
    made = contents(named(kind, "mlxlab-wood-pecker"))
    module = "src/mlxlab_wood_pecker"
    least = {"pyproject.toml", "README.md", "LICENSE", ".gitignore", ".github/workflows/test.yml"}
    assert least | {f"{module}/{kind}.py", f"tests/test_{kind}.py"} <= set(made)
    assert f'"{kind}.wood-pecker" = "mlxlab_wood_pecker.{kind}' in made["pyproject.toml"]
    for path, text in made.items():
        assert "TODO" not in text and "mlxlab_wood_pecker" not in made["LICENSE"], path


@pytest.mark.parametrize(
    ("kind", "name", "said"),
    [
        ("reward", "9lives", "is no name for a package"),
        ("reward", "two words", "is no name for a package"),
        ("reward", "dash-", "is no name for a package"),
        ("reward", "a--b", "is no name for a package"),
        ("reward", "ünlaut", "is no name for a package"),
        ("reward", "x" * (MOST_CHARS + 1), "is no name for a package"),
        ("reward", "class", "is a word of Python's"),
        ("policy", "python", "is a word of Python's"),
        ("reward", "json", "is a module of Python's own"),
        ("reward", "numpy", "is installed already"),
        ("reward", "sklearn", "is the name of a module that is installed"),
        ("command", "mlxlab", "is installed already"),
        ("scaffold", "aide", "is built in: yours would only be reached as 'aide::aide'"),
        ("scaffold", "mlxlab-aide", "only be reached as 'mlxlab-aide::aide'"),
        ("command", "run", "The command 'run' is built in"),
        ("policy", "deepseek-r1", "is a preset"),
        ("trainer", "mlx-replay", "The policy 'replay' is built in"),
        ("trainer", "mlx-random", "The policy 'random' is built in"),
        ("trainer", "mlxlab-catalog", "The policy 'catalog' is built in"),
        ("trainer", "deepseek-r1", "is a preset"),
    ],
)
def test_names_that_are_refused(kind: str, name: str, said: str) -> None:
    with pytest.raises(UsageError, match=r"^[^\n]*$") as refused:
        named(kind, name)
    assert said in refused.value.message
    assert "Take " in refused.value.hint


def test_a_name_of_another_kind_is_free() -> None:
    assert named("reward", "aide").component == "aide"


def test_a_name_in_its_forms() -> None:
    names = named("scaffold", "mlxlab-Best.of_n-scaffold")
    assert names.module == "mlxlab_best_of_n_scaffold"
    assert names.component == "best-of-n-scaffold"
    assert names.stem == "BestOfN"


def test_a_name_after_the_prefix_may_begin_with_a_digit() -> None:
    names = named("scaffold", "mlx-3d")
    assert (names.component, names.module, names.stem) == ("3d", "mlx_3d", "Mlx3d")
    for path, text in contents(names).items():
        if path.endswith(".py"):
            compile(text, path, "exec")


@pytest.mark.parametrize("kind", KINDS)
def test_every_name_that_is_registered_is_looked_at(kind: str) -> None:
    names = named(kind, "mlxlab-wood-pecker")
    project = tomllib.loads(contents(names)["pyproject.toml"])["project"]
    points = project["entry-points"]["mlxlab.components"]
    assert sorted(points) == sorted(f"{each}.wood-pecker" for each in names.kinds)


def test_a_task_may_import_what_brings_no_types() -> None:
    found = {
        kind: tomllib.loads(contents(named(kind, "mlxlab-wood-pecker"))["pyproject.toml"])
        for kind in ("task", "reward")
    }
    rules = {kind: each["tool"]["mypy"].get("overrides") for kind, each in found.items()}
    modules = ["pandas.*", "sklearn.*"]
    assert rules == {
        "task": [{"module": modules, "ignore_missing_imports": True}],
        "reward": None,
    }


def test_what_is_there_stays(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    words = ["plugins", "new", "some-reward", "--kind", "reward", "--out"]
    (kept / "mine").write_text("mine")
    for place in (kept, kept / "mine"):
        assert main([*words, str(place)]) == 2
        said = capsys.readouterr().err
        assert said.count("\n") == 1 and "is there already" in said and "--out" in said
    assert main([*words, str(kept / "mine" / "below")]) == 2
    assert "cannot be written" in capsys.readouterr().err
    assert [path.name for path in kept.rglob("*")] == ["mine"]
    (kept / "mine").unlink()
    assert main([*words, str(kept)]) == 0
    assert (kept / "pyproject.toml").is_file()


def test_what_comes_next_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["plugins", "new", "mlxlab-tally", "--kind", "reward"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "The reward 'tally' is in mlxlab-tally: 9 files. Next:"
    assert [line.strip() for line in said[1:]] == [
        "cd mlxlab-tally && pip install -e '.[test]'",
        "pytest",
        "mlx plugins check reward.tally",
        "mlx run --reward tally --steps 3",
    ]
    assert main(["plugins", "new", "other", "--kind", "task", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["name"], told["folder"]) == ("other", "other")
    assert "src/other/task.py" in told["files"]


def test_a_tasks_workflow_lets_its_programs_run() -> None:
    for kind in KINDS:
        made = contents(named(kind, "mlxlab-wood-pecker"))
        lines = made[".github/workflows/test.yml"].splitlines()
        runs = [step for line in lines if (step := line.partition("      - run: ")[2])]
        assert any(run.endswith(f" {kind}.wood-pecker") for run in runs), runs
        allowed = "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"
        assert (allowed in runs) == (kind == "task"), runs
        assert ("mlx tasks check wood-pecker" in runs) == (kind == "task"), runs


def test_the_kinds_that_help_names_are_all() -> None:
    parser = ArgumentParser()
    configure(parser)
    for kind in KINDS:
        assert parser.parse_args(["new", "x", "--kind", kind]).kind == kind


def test_a_kind_that_there_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plugins", "new", "x", "--kind", "scafold"]) == 2
    assert "scaffold" in capsys.readouterr().err
