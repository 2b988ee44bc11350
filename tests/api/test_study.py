"""The study's files make pipelines, and the ablations leave the study's own stages as they are."""

from __future__ import annotations

import sys
import tomllib
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
    values = tomllib.loads(study.STUDY.read_text())
    if ablations:
        values = study.merged(values, tomllib.loads(study.ABLATIONS.read_text()))
        text = [{**arm, "trainer": arm["trainer"].replace("STEPS", "3")} for arm in values["rl"]]
        values = {**values, "rl": text}
    found: dict[str, str] = {}
    for stage in study.planned(values, 1, folder / "out", folder / "cache").stages:
        found[stage.name] = stage.key(found)
    return found


def test_ablations_keep_what_the_study_did(study: ModuleType, tmp_path: Path) -> None:
    first = keys(study, tmp_path, ablations=False)
    more = keys(study, tmp_path, ablations=True)
    kept = [name for name in first if first[name] == more[name]]
    assert kept == [name for name in first if name not in ("evaluate", "report")]
    assert {"collect-plain", "sft-plain", "binary", "no-format", "no-corner"} <= set(more)


def test_what_comes_before_the_timed_arm_is_done_first(
    study: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str | None] = []
    monkeypatch.setattr(study, "run_pipeline", lambda plan, only=None: done.append(only))
    monkeypatch.setattr(
        study,
        "timed",
        lambda values, folder: {**values, "rl": values["rl"][:1]},
    )
    study.run_seed(0, tmp_path / "out", tmp_path / "cache", ablations=True)
    *first, rest = done
    assert rest is None  # all that is left, as one pipeline
    assert first[0] == "explore" and first[-1] == study.EPISODES
    needed = ["collect-plain", "sft", "sft-plain", "grpo", "ppo-own"]
    assert [name for name in first if name in needed] == needed
