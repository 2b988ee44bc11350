"""Suites, surveys, exporters and attributes of plugins: what is wrong is told as theirs."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from mlxlab.api import RunFolder
from mlxlab.api.bench.cells import cells_of
from mlxlab.api.bench.grid import Grid
from mlxlab.api.pipeline.tasks import expanded
from mlxlab.api.readiness import Surveys
from mlxlab.cli.records.export import export_states
from mlxlab.cli.tasks.importing import import_tasks
from mlxlab.cli.tasks.suites import list_suite
from mlxlab.core.errors import PluginError
from mlxlab.core.registry import Registry
from mlxlab.core.suite import SuiteTask
from mlxlab.core.watch import watching
from tests.containment import parts
from tests.containment.test_calls import run
from tests.recorded import record_run

FAULTS = ("raise", "base", "exit", "hang", "type")
Asked = Callable[[str, Registry], object]
SUITES: dict[str, Asked] = {
    "tasks list": lambda spec, registry: list_suite(spec, as_json=True),
    "bench": lambda spec, registry: cells_of(Grid(suite=spec), registry),
    "pipeline": lambda spec, registry: expanded((f"suite:{spec}",), "train", registry),
}


@pytest.fixture(autouse=True)
def _installed(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Registry, "installed", classmethod(lambda cls: registry))


@pytest.mark.parametrize(
    ("where", "call", "fault"),
    [
        ("tasks list", "tasks", "hang"),
        *product(SUITES, ("info", "tasks"), (fault for fault in FAULTS if fault != "hang")),
    ],
)
def test_a_suite(registry: Registry, where: str, call: str, fault: str) -> None:
    with pytest.raises(PluginError) as caught:
        SUITES[where](f"bad?call={call}&fault={fault}", registry)
    line = str(caught.value)
    assert line.startswith("suite 'bad' of acme-parts 1.2: ") and "\n" not in line


@pytest.mark.parametrize("where", SUITES)
def test_what_is_no_suite(registry: Registry, where: str) -> None:
    with pytest.raises(PluginError, match=r"suite 'hollow' of acme-parts 1\.2 is no suite"):
        SUITES[where]("hollow", registry)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_survey(registry: Registry, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    monkeypatch.setattr(parts.Surveyed, "fault", fault)
    said = Surveys(registry).of(SuiteTask(id="x", spec="surveyed?repo=there"))
    assert said.state == "missing"
    assert said.missing[0].startswith("task 'surveyed' of acme-parts 1.2: survey ")
    with pytest.raises(PluginError, match=re.escape(said.missing[0])):
        import_tasks("surveyed", "there", None, as_json=False)


@pytest.mark.parametrize(
    "what", [*(f"write&fault={fault}" for fault in FAULTS), "elsewhere"], ids=str
)
def test_an_exporter(tmp_path: Path, what: str) -> None:
    folder = record_run(tmp_path / "runs", "one", [0.5])
    told = "took longer than 3.6 s" if what.endswith("hang") else ""
    with watching(), pytest.raises(PluginError, match=rf"^export 'bad' .* 1\.2: write {told}"):
        export_states([RunFolder(folder)], f"bad?call={what}", tmp_path / "out")


def test_the_folder_of_an_export_is_the_user_s(tmp_path: Path) -> None:
    folder = record_run(tmp_path / "runs", "one", [0.5])
    with pytest.raises(PermissionError, match="Not allowed"):
        export_states([RunFolder(folder)], "bad?call=inside", tmp_path / "out")
    assert export_states([RunFolder(folder)], "bad", tmp_path / "out") == 1


@pytest.mark.parametrize(
    ("kind", "name", "value", "told"),
    [
        ("reward", "needs", None, "needs is NoneType, no set of names"),
        ("reward", "needs", "probe", "needs is str, no set of names"),
        ("reward", "needs", {3}, "needs holds 3, no name"),
        ("reward", "range", 1.0, "range is float, no pair of numbers"),
        ("reward", "range", (0.0, None), "range holds None, no number"),
        ("reward", "range", (1.0, 0.0), r"range is \(1, 0\), which begins above its end"),
        ("scaffold", "pace", 3, "pace is int, no Pace"),
        ("scaffold", "max_asks", "2", "max_asks is str, no int"),
        ("scaffold", "needs_score", None, "needs_score is NoneType, no bool"),
        ("policy", "order", [1, 2], "order is list, no Order"),
    ],
)
def test_an_attribute_of_another_type(
    tmp_path: Path,
    registry: Registry,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    name: str,
    value: Any,
    told: str,
) -> None:
    component = {"reward": parts.BadReward, "scaffold": parts.BadScaffold,
                 "policy": parts.BadPolicy}[kind]  # fmt: skip
    stated = property(lambda self: value, lambda self, given: None)
    monkeypatch.setattr(component, name, stated, raising=False)
    with pytest.raises(PluginError, match=rf"{kind} 'bad' of acme-parts 1\.2: {told}"):
        run(tmp_path / "runs", registry)
    assert not (tmp_path / "runs").exists()
