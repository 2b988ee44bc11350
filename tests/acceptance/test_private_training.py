"""Private scores are for people: permuting all of them changes nothing that a training does."""

from __future__ import annotations

import asyncio
import json
import shutil
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from mlxlab.api import Hooks, RunFolder, RunOptions, new_run
from mlxlab.api.training import TrainOptions, plan_training, run_plan
from mlxlab.core.actions import Action, RunCode
from mlxlab.core.entries import Entry
from mlxlab.core.records import Completion, Decision
from mlxlab.core.registry import Registry
from mlxlab.core.scaffold import Ask
from mlxlab.core.task import Grade
from mlxlab.plugins.training.samples import read_samples
from mlxlab.testing import ToyTask
from mlxlab.testing.checkpoints import tiny_checkpoint
from tests.support import JsonScaffold

pytestmark = pytest.mark.train

HERE = "tests.acceptance.test_private_training"
SIZE = "states_per_step=2&generations=4&max_completion_tokens=6&lr=1e-2&threads=1"


class Letters(JsonScaffold):
    """Any text is a program: what it predicts depends on its letters."""

    def parse(self, decision: Decision, completion: Completion) -> Action | Ask:
        error = sum(completion.text.encode("utf-8", "replace")) % 41 / 10
        return RunCode(code=json.dumps([row + error for row in range(8)]))


class Permuted(ToyTask):
    """The toy with private scores that have nothing to do with the submission."""

    graded = 0

    def grade(self, submission: bytes) -> Grade:
        Permuted.graded += 1
        grade = super().grade(submission)
        return grade.model_copy(update={"private": 1.234567 * 7**Permuted.graded % 10})


def registry(task: str) -> Registry:
    parts = {
        "task.toy": task,
        "scaffold.letters": f"{HERE}:Letters",
        "sandbox.memory": "tests.cli.toyparts:memory",
        "policy.writer": "tests.cli.toyparts:Writer",
    }
    added = [
        Entry(*name.split("."), target, "tests", "0", EntryPoint(name, target, "mlxlab.components"))
        for name, target in parts.items()
    ]
    return Registry([*Registry.installed().entries, *added])


def recorded(root: Path, parts: Registry) -> Path:
    options = RunOptions(
        task="toy", scaffold="letters", policy="writer", sandbox="memory", steps=3, out=root
    )
    runner = new_run(options, Hooks(), parts)
    asyncio.run(runner.run())
    return runner.folder


def permute(run: Path) -> None:
    """Reverse the order of a run's private scores."""
    path = run / "scores.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    values = [line["score"] for line in lines]
    changed = [line | {"score": value} for line, value in zip(lines, values[::-1], strict=True)]
    path.write_text("".join(json.dumps(line) + "\n" for line in changed))


def trained(runs: Path, trainer: str, base: Path, parts: Registry) -> Path:
    out = runs.parent / trainer.partition("?")[0]
    options = TrainOptions(
        runs=(runs,), out=out, trainer=trainer, model=str(base), sandbox="memory", seed=3, workers=1
    )
    run_plan(plan_training(options, parts), hooks=Hooks())
    return out


def figures(out: Path) -> list[dict[str, float]]:
    """What was counted and measured, seconds left out."""
    steps = [json.loads(line) for line in (out / "train.jsonl").read_text().splitlines()]
    return [
        {name: value for name, value in step["figures"].items() if not name.endswith("_s")}
        for step in steps
    ]


@pytest.mark.parametrize("trainer", [f"grpo?steps=3&{SIZE}", f"ppo?steps=2&{SIZE}"])
def test_permuting_private_scores_changes_no_sample_and_no_weight(
    tmp_path: Path, trainer: str
) -> None:
    base = tiny_checkpoint(tmp_path / "base")
    plain, other = registry("mlxlab.testing:ToyTask"), registry(f"{HERE}:Permuted")
    first = recorded(tmp_path / "plain" / "runs", plain)
    second = shutil.copytree(first, tmp_path / "permuted" / "runs" / first.name)
    permute(second)
    before, after = (RunFolder(run).private_scores() for run in (first, second))
    assert before != after
    found: list[Any] = []
    for runs, parts in ((first.parent, plain), (second.parent, other)):
        out = trained(runs, trainer, base, parts)
        weights = (out / "final" / "model.safetensors").read_bytes()
        found.append((read_samples(out), figures(out), weights))
    secrets = [
        (runs.parent.parent / trainer.partition("?")[0] / "transitions" / "private.jsonl")
        for runs in (first, second)
    ]
    assert len({path.read_text() for path in secrets}) == 2
    assert found[0] == found[1]
    samples, steps, weights = found[0]
    assert len({sample.reward for sample in samples}) > 2
    assert weights != (base / "model.safetensors").read_bytes()
    assert all("reward" in step for step in steps)
