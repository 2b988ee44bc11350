"""`mlx run --config`, `--print-config` and `--print-schema`, and those of `mlx train`."""

from __future__ import annotations

import json
import tomllib
from typing import Any

import jsonschema
import pytest

from mlxlab.api import RunFolder, RunManifest
from tests.cli.conftest import TOY_RUN, Place, distribution

FILE = """
steps = 2
out = "made"
sandbox = "memory"
seed = 7

[task]
name = "toy"

[scaffold]
name = "tree"

[policy]
name = "writer"
price = 2.0
hostile = true

[[rewards]]
name = "constant"
"""


def manifests(place: Place, folder: str) -> list[RunManifest]:
    return [RunFolder(run).manifest() for run in sorted((place.work / folder).iterdir())]


def recorded(manifest: RunManifest) -> dict[str, Any]:
    """What a run was asked to be."""
    kept = {"components", "rewards", "seed", "workers", "gpus", "limits", "budget", "patience_s",
            "max_state_bytes", "feedback", "cache", "task"}  # fmt: skip
    return manifest.model_dump(include=kept)


def test_a_file_is_a_run_and_what_is_printed_of_it_the_same_run(place: Place) -> None:
    (place.work / "below").mkdir()
    (place.work / "below" / "exp.toml").write_text(FILE)
    done = place.mlx("run", "--config", "below/exp.toml", "--quiet")
    assert done.returncode == 0, done.stderr
    printed = place.mlx("run", "--config", "below/exp.toml", "--print-config")
    assert (printed.returncode, printed.stderr) == (0, "")
    (place.work / "again.toml").write_text(printed.stdout)
    done = place.mlx("run", "--config", "again.toml", "--quiet")
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in place.work.iterdir()) == ["again.toml", "below", "made"]
    assert [path.name for path in (place.work / "below").iterdir()] == ["exp.toml"]
    first, second = manifests(place, "made")
    assert recorded(first) == recorded(second)
    assert first.components["policy"].spec == "writer?price=2.0&hostile=true"
    assert (first.seed, first.budget.steps) == (7, 2)


def test_the_command_line_wins_and_starts_nothing_to_print(place: Place) -> None:
    (place.work / "exp.toml").write_text(FILE + '[editor]\nname = "not-installed"\n')
    words = ("run", "--config", "exp.toml", "--steps", "5", "--policy", "writer?latency_s=1")
    more = ("--reward", "valid", "--reward", "constant", "--editor", "writer", "--cache")
    done = place.mlx(*words, *more, "--print-config")
    assert done.returncode == 0, done.stderr
    said = tomllib.loads(done.stdout)
    assert (said["steps"], said["seed"], said["out"], said["cache"]) == (5, 7, "made", "made")
    assert said["policy"] == {"name": "writer", "latency_s": 1.0}
    assert [reward["name"] for reward in said["rewards"]] == ["valid", "constant"]
    assert "# How long an answer takes, in seconds. (float)\nlatency_s = 1.0\n" in done.stdout
    assert "# US dollars an answer costs. (float | None)\n#price = 0.001\n" in done.stdout
    assert [path.name for path in place.work.iterdir()] == ["exp.toml"]


@pytest.mark.parametrize(
    ("text", "words", "told"),
    [
        (FILE + "[sandbx]\n", (), "exp.toml:20: 'sandbx' is no key of a run. Did you mean"),
        (FILE + "colour = 1\n", (), "exp.toml:20: reward 'constant' has no options."),
        (FILE, ("--print-config", "--policy", "writer?prize=1"), "Did you mean 'price'?"),
        (FILE, ("--resume", "latest"), "--config is for a new run. Leave out --resume or"),
        ("seed = 1", ("--steps", "0"), "'0' is no whole number of 1 or more"),
    ],
)
def test_what_is_wrong_is_one_line(
    place: Place, text: str, words: tuple[str, ...], told: str
) -> None:
    (place.work / "exp.toml").write_text(text)
    done = place.mlx("run", "--config", "exp.toml", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_the_schema_has_what_is_installed_and_tells_what_cannot_be_loaded(place: Place) -> None:
    place.module("noisy", "print('noise')\nraise ImportError('no such luck')")
    distribution(place.site, "noisy-parts", {"policy.noisy": "noisy:Noisy"})
    done = place.mlx("run", "--print-schema")
    assert done.returncode == 0
    schema = json.loads(done.stdout)
    assert "policy 'noisy' of noisy-parts 1.2" in done.stderr
    assert "no such luck" in done.stderr
    assert list(jsonschema.Draft7Validator(schema).iter_errors(tomllib.loads(FILE))) == []
    wrong = {**tomllib.loads(FILE), "policy": {"name": "writer", "prize": 1}}
    assert list(jsonschema.Draft7Validator(schema).iter_errors(wrong))


def test_a_training_s_file_is_a_training(place: Place) -> None:
    done = place.mlx(*TOY_RUN, "--policy", "writer", "--steps", "3", "--quiet")
    assert done.returncode == 0, done.stderr
    words = ("--trainer", "counting", "--reward", "constant", "--sandbox", "memory", "--seed", "4")
    printed = place.mlx("train", *words, "--print-config")
    assert printed.returncode == 0, printed.stderr
    (place.work / "train.toml").write_text(printed.stdout)
    schema = json.loads(place.mlx("train", "--print-schema").stdout)
    wrong = {"trainer": {"name": "grpo", "steps": "many"}}
    for values, mistakes in ((tomllib.loads(printed.stdout), 0), (wrong, 1)):
        assert len([*jsonschema.Draft7Validator(schema).iter_errors(values)]) == mistakes
    done = place.mlx("train", "--config", "train.toml", "--out", "made", "--quiet", "--json")
    assert done.returncode == 0, done.stderr
    manifest = json.loads((place.work / "made" / "train.json").read_text())
    assert (manifest["trainer"]["spec"], manifest["seed"]) == ("counting", 4)
