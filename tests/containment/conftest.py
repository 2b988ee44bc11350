"""The hostile distribution, installed beside mlxlab for the tests of one folder."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlxlab.core import shared, watch
from mlxlab.core.entries import Entry, advertised
from mlxlab.core.registry import Registry
from tests.cli.conftest import Place, distribution
from tests.containment import parts

KINDS = {
    "scaffold.bad": "BadScaffold", "policy.bad": "BadPolicy", "sandbox.bad": "BadSandbox",
    "reward.bad": "BadReward", "task.bad": "BadTask", "scaffold.raises": "Raises",
    "scaffold.hollow": "Hollow", "aliases.bad": "bad_aliases", "scaffold.patches": "Patches",
    "trainer.bad": "BadTrainer", "trainer.hollow": "Hollow", "suite.bad": "BadSuite",
    "suite.hollow": "Hollow", "export.bad": "BadExport", "metric.bad": "BadMetric",
    "metric.hollow": "Hollow", "task.surveyed": "Surveyed",
}  # fmt: skip


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture(scope="session")
def entries(tmp_path_factory: pytest.TempPathFactory) -> list[Entry]:
    """What is installed, the hostile distribution included; reading it takes a while."""
    site = tmp_path_factory.mktemp("site")
    components = {name: f"tests.containment.parts:{target}" for name, target in KINDS.items()}
    distribution(site, "acme-parts", components)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(site))
        return advertised()


@pytest.fixture
def registry(
    tmp_path: Path, entries: list[Entry], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Registry]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("MLX_CALL_LIMIT", "0.3")
    monkeypatch.setattr(watch, "DEAF_S", 0.5)
    yield Registry(entries)
    parts.ARMED[0] = True
    parts.LET_GO.set()
    until = time.monotonic() + 10
    while shared._inside and time.monotonic() < until:
        time.sleep(0.01)
    parts.LET_GO.clear()
