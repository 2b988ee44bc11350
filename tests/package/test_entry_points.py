import tomllib
from importlib.metadata import distribution
from pathlib import Path

import pytest

from mlxlab.core.entries import COMPONENTS, HOOKS
from mlxlab.core.registry import Registry

ROOT = Path(__file__).parents[2]
DECLARED = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]


@pytest.mark.parametrize("group", [COMPONENTS, HOOKS])
def test_the_installed_entry_points_are_those_of_pyproject(group: str) -> None:
    points = distribution("mlxlab").entry_points
    installed = {point.name: point.value for point in points if point.group == group}
    assert installed == DECLARED[group], "the installed mlxlab is stale: pip install -e . again"


@pytest.mark.parametrize("name", DECLARED[COMPONENTS])
def test_every_built_in_component_can_be_loaded(name: str) -> None:
    found = [e for e in Registry.installed().entries if f"{e.kind}.{e.name}" == name and e.builtin]
    assert callable(Registry.installed().load(found[0])) or name.startswith("command.")
