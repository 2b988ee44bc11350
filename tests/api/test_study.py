"""The study's files make pipelines, and the ablations leave the study's own stages as they are."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from types import ModuleType

import pytest

STUDIES = Path(__file__).parents[2] / "studies"


@pytest.fixture
def study(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(STUDIES))
    for name in ("tiny_study", "summary", "pictures"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    import tiny_study  # type: ignore[import-not-found]

    return tiny_study


def keys(study: ModuleType, folder: Path, *, ablations: bool) -> dict[str, str]:
    found: dict[str, str] = {}
    for stage in study.planned(study.tables(ablations), 1, folder, folder / "cache").stages:
        found[stage.name] = stage.key(found)
    return found


def test_ablations_are_compared_with_the_studys_own_stages(
    study: ModuleType, tmp_path: Path
) -> None:
    first = keys(study, tmp_path, ablations=False)
    more = keys(study, tmp_path, ablations=True)
    shared = [name for name in first if first[name] == more.get(name)]
    assert shared == [
        "explore",
        "collect-expert",
        "collect-builtin",
        "collect-held-out",
        "sft",
        "grpo",
    ]
    assert set(more) - set(first) == {
        "collect-plain",
        "sft-plain",
        "episodes-equal-transitions",
        "episodes-equal-time",
        "binary",
        "no-format",
        "grpo-equal-time",
        "tight",
        "tight-no-corner",
    }


def test_the_equal_arms_are_equal(study: ModuleType, tmp_path: Path) -> None:
    tables = {arm["name"]: arm for arm in study.tables(True)["rl"]}
    arms = {name: arm["trainer"] for name, arm in tables.items()}
    step, episodes = arms["grpo"], arms["episodes-equal-transitions"]

    def number(trainer: str, name: str) -> int:
        return int(trainer.partition(f"{name}=")[2].partition("&")[0])

    stepwise = [number(step, name) for name in ("?steps", "states_per_step", "generations")]
    rolled = [number(episodes, name) for name in ("?steps", "starts_per_step", "episodes", "turns")]
    assert math.prod(stepwise) == math.prod(rolled)
    for name, other in (("grpo-equal-time", step), ("episodes-equal-time", episodes)):
        timed, limit = arms[name], f"&max_s={number(arms[name], 'max_s')}"
        assert timed.replace(limit, "").partition("&")[2] == other.partition("&")[2]
        assert number(timed, "?steps") > number(other, "?steps")
        assert tables[name]["cache"] == "own"
    assert number(arms["grpo-equal-time"], "max_s") == number(arms["episodes-equal-time"], "max_s")
    assert arms["tight"] == arms["tight-no-corner"] == step
    assert tables["tight"]["exec_timeout"] == tables["tight-no-corner"]["exec_timeout"]
