"""A report of made-up figures: everything that was measured stands in it, in words and pictures."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mlxlab.api.evaluating import FILE, Evaluation, Subject
from mlxlab.api.evaluating.record import Loops, Mean, Singles, Swap
from mlxlab.api.pipeline import Plan, StageRecord, plan_pipeline, run_pipeline
from mlxlab.api.pipeline.report import beside, curves
from mlxlab.api.pipeline.report.blocks import (
    Block,
    Heading,
    Lines,
    Paragraph,
    Table,
    markdown,
    page,
)
from mlxlab.api.pipeline.report.material import Arm
from mlxlab.core.jsonl import JsonlWriter
from mlxlab.core.trainer import TrainProgress
from tests.api.test_pipeline import SMALL, write

PARTS = ("held-in", "held-out")


def mean(value: float) -> Mean:
    return Mean(mean=value, low=value - 0.05, high=value + 0.05, tasks=4, values=16)


def subject(name: str, kind: str, value: float) -> Subject:
    figures = {n: mean(value) for n in ("reward", "v1", "v2", "improvement", "valid", "unique")}
    curve = tuple(mean(value + step / 100) for step in range(3))
    return Subject(
        name=name,
        spec="",
        kind=kind,
        singles={part: Singles(states=4, samples=2, figures=figures) for part in PARTS},
        loops={part: Loops(episodes=8, steps=3, curve=curve) for part in PARTS},
        swap=Swap(states=4, own=mean(0.5), swapped=mean(0.4), drop=mean(0.1)),
    )


def evaluation() -> Evaluation:
    policies = [subject(name, "policy", 0.2 + n / 10) for n, name in enumerate(("base", "grpo"))]
    lines = ("random valid", "best constant", "probes + random", "free probes + random", "ceiling",
             "random search", "expert", "best by public score")  # fmt: skip
    references = [subject(name, "reference", 0.4 + n / 20) for n, name in enumerate(lines)]
    return Evaluation(
        scaffold="recipe",
        reward="ml-agent",
        scale="0: start; 1: ceiling",
        subjects=(*policies, *references),
        states=dict.fromkeys(PARTS, 4),
        tasks=dict.fromkeys(PARTS, ("a", "b")),
    )


def evaluated(folder: Path, found: Evaluation) -> Plan:
    """A pipeline whose stages are done, but for the report."""
    plan = plan_pipeline(write(folder, SMALL), out=folder / "out")
    keys: dict[str, str] = {}
    for stage in plan.stages[:-1]:
        keys[stage.name] = stage.key(keys)
        record = StageRecord(
            stage=stage.name, key=keys[stage.name], options=dict(stage.options), status="done",
            seconds=12.0, began_at=datetime.now(UTC), notes=("a <b>thing</b> was left out",),
        )  # fmt: skip
        plan.work.folder.write_stage(record)
    (plan.folder / "evaluate" / FILE).write_text(found.model_dump_json(by_alias=True))
    return plan


def test_where_nothing_could_be_measured_the_report_says_why(tmp_path: Path) -> None:
    notes = ("grpo: not measured. The server is gone.",)
    run_pipeline(evaluated(tmp_path, evaluation().model_copy(
        update={"subjects": (), "notes": notes})))  # fmt: skip
    assert f"- {notes[0]}" in (tmp_path / "out" / "report" / "report.md").read_text()


def test_a_report_says_what_was_measured_and_what_was_not(tmp_path: Path) -> None:
    plan = evaluated(tmp_path, evaluation())
    log = JsonlWriter(plan.folder / "grpo" / "train.jsonl")
    for step in range(1, 31):
        figures = {"reward": step / 60, "unique": 3.0, "actions": 6.0, "executed": 2.0,
                   "cached": 4.0, "generate_s": 0.4, "update_s": 0.9}  # fmt: skip
        log.append(TrainProgress(step=step, total=30, figures=figures))
    log.close()
    done = run_pipeline(plan)
    text = (plan.folder / "report" / "report.md").read_text()
    assert done.report is not None
    whole = done.report.read_text()
    assert "| grpo | 0.300 [0.250, 0.350] |" in text
    assert "| ceiling (line) | 0.600 [0.550, 0.650] |" in text
    assert "| grpo: reward | 0.092 | 0.425 | 30 |" in text
    assert "| grpo | 30 | 180 | 60 | 120 | 0.67 | 0 | 0 | 12 |" in text
    assert "| grpo | 0.500 [0.450, 0.550] | 0.400 [0.350, 0.450] |" in text
    assert "- Rewards trained with: grpo: ml-agent; binary: ml-agent?signal=binary." in text
    assert "- Reward that single actions are judged by: ml-agent." in text
    assert "binary: its reward is ml-agent?signal=binary, theirs ml-agent." in text
    assert "<b>thing</b>" not in whole and "&lt;b&gt;thing" in whole
    pictures = re.findall(r"!\[[^]]*]\(([^)]+)\)", text)
    assert len(pictures) == 4
    for name in pictures:
        assert (plan.folder / "report" / name).read_bytes().startswith(b"\x89PNG")
    assert whole.count("data:image/png;base64,") == 4
    assert not re.search(r"(src|href)=\"(?!data:)", whole)


def arm(name: str, **more: Any) -> Arm:
    record = StageRecord(stage=name, key="", began_at=datetime.now(UTC))
    figures = {"reward": 0.5, "improvement": 0.5, "valid": 1.0}
    steps = [TrainProgress(step=1, total=1, figures=figures)]
    return Arm(name, "rl", record, steps, **{"reward": "ml-agent", **more})


@pytest.mark.parametrize(
    ("arms", "drawn", "said"),
    [
        ([arm("grpo")], ["reward", "improvement", "valid"],
         "Horizontal lines are of held-in states."),
        ([arm("grpo", reward="ml-agent?idle=0.1")], ["improvement", "valid"],
         "grpo: its reward is ml-agent?idle=0.1, theirs ml-agent."),
        ([arm("mine", own=0.5)], [], "No line stands beside them. Not comparable with lines of "
         "held-in states: mine: 50% of its states are its own."),
        ([arm("mine", own=0.5), arm("grpo")], ["reward", "improvement", "valid"],
         "mine: 50% of its states are its own."),
    ],
)  # fmt: skip
def test_lines_stand_beside_what_they_can_be_compared_with(
    arms: list[Arm], drawn: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[str] = []
    monkeypatch.setattr(curves, "_lines", lambda axis, evaluation, name: found.append(name))
    curves.training_curves(tmp_path / "training.png", arms, evaluation())
    assert found == drawn
    assert beside.told(arms, evaluation()).endswith(said)


def test_without_lines_nothing_is_said_of_them() -> None:
    bare = evaluation().model_copy(update={"subjects": ()})
    assert beside.told([arm("grpo", own=0.5)], bare) == beside.told([arm("grpo")], None) == ""


def test_blocks_are_the_same_in_both_forms() -> None:
    blocks: list[Block] = [Heading("A & B", 1), Paragraph("x < y"), Lines(["one"]),
                           Table(("name", "n"), [["a|b", "1"]], "caption")]  # fmt: skip
    assert markdown(blocks) == (
        "# A & B\n\nx < y\n\n- one\n\n| name | n |\n| --- | ---: |\n| a\\|b | 1 |\n\n*caption*\n"
    )
    whole = page("t", blocks)
    assert "<h1>A &amp; B</h1>" in whole and "<p>x &lt; y</p>" in whole
    assert "<caption>caption</caption>" in whole
