"""A pipeline whose scaffold lists no actions: search policies are left out, all else is shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlxlab.api.evaluating import FILE, Evaluation
from mlxlab.api.pipeline import plan_pipeline, run_pipeline
from tests.api.test_pipeline import write

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
PROGRAMS = """\
tasks = ["generated:linear/0"]
held_out = ["generated:rings/0-1"]
scaffold = "aide"
workers = 2
[[collect]]
policy = "catalog"
steps = 1
trajectories = 2
held_back = 1
[[collect]]
name = "held-out"
part = "held-out"
policy = "catalog"
steps = 1
trajectories = 1
[evaluate]
states = 2
samples = 1
steps = 2
seeds = 1
policies = { catalog = "catalog", hill = "climb" }
"""


def test_a_scaffold_without_a_list_is_evaluated_and_reported(tmp_path: Path) -> None:
    done = run_pipeline(plan_pipeline(write(tmp_path, PROGRAMS), out=tmp_path / "out"))
    found = Evaluation.model_validate_json((tmp_path / "out" / "evaluate" / FILE).read_bytes())
    assert [each.name for each in found.subjects] == ["catalog"]
    for part in ("held-in", "held-out"):
        measured = found.subjects[0]
        assert measured.singles[part].figures["valid"].mean == 1.0
        assert len(measured.loops[part].curve) == 2 and measured.loops[part].failed == 0
    grid, *lost = found.notes
    assert grid.startswith("Scaffold 'aide' lists no actions")
    assert [note.partition(":")[0] for note in lost] == ["hill", "expert", "random search"]
    assert all("not measured. The policy '" in note and "'aide" in note for note in lost)
    assert found.subjects[0].swap is not None
    record = done.stages["evaluate"]
    assert record.status == "done" and record.result["subjects"] == ["catalog"]
    text = (tmp_path / "out" / "report" / "report.md").read_text()
    assert done.report is not None and done.report.is_file()
    assert f"- {lost[0]}" in text
    assert "- evaluate: Not measured, see the notes of the evaluation: hill." in text
