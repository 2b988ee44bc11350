"""`mlx sandboxes list` and `mlx sandboxes prune`, with sandboxes of a third party."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Place, distribution

SWEEPER = """
from pathlib import Path
from mlxlab.core.errors import SandboxError
from mlxlab.core.upkeep import Leftover

FOLDER = Path("crates")

async def sweep(*, remove):
    found = [Leftover(kind="crate", name=p.name, detail="old\\x1b[2J", in_use=p.name == "used")
             for p in sorted(FOLDER.iterdir())]
    for one in found:
        if remove and not one.in_use:
            if one.name == "stuck":
                raise SandboxError("The crate is stuck.", "Pull.")
            (FOLDER / one.name).unlink()
    return found

class Crates: ...

class Absent:
    @staticmethod
    async def sweep(*, remove):
        raise SandboxError("No engine answers.", "Start it.")

class Broken:
    @staticmethod
    async def sweep(*, remove):
        raise ValueError("no luck")
"""


@pytest.fixture
def crates(place: Place) -> Path:
    place.module("sweeper", SWEEPER)
    names = ("Crates", "Absent", "Broken")
    parts = {f"sandbox.{name.lower()}": f"sweeper:{name}" for name in names}
    distribution(place.site, "crate-sandbox", parts)
    folder = place.work / "crates"
    folder.mkdir()
    for name in ("left", "used"):
        (folder / name).touch()
    return folder


def swept(place: Place, *options: str, status: int = 0) -> dict[str, Any]:
    done = place.mlx("sandboxes", *options, "--json")
    assert done.returncode == status and done.stderr == "", done.stderr
    return {one["sandbox"]: one for one in json.loads(done.stdout)}


def test_what_nobody_uses_goes(place: Place, crates: Path) -> None:
    shown = place.mlx("sandboxes", "list")
    assert shown.returncode == 0 and "\x1b" not in shown.stdout
    assert "left behind" in shown.stdout and "in use" in shown.stdout
    assert "mlx sandboxes prune" in shown.stdout
    assert sorted(path.name for path in crates.iterdir()) == ["left", "used"]
    found = swept(place, "prune")["crates"]["found"]
    assert [(one["name"], one["removed"]) for one in found] == [("left", True), ("used", False)]
    assert [path.name for path in crates.iterdir()] == ["used"]
    again = place.mlx("sandboxes", "prune")
    assert again.returncode == 0 and "Nothing was left behind." in again.stdout


def test_an_engine_that_is_absent_is_a_line_and_no_error(place: Place, crates: Path) -> None:
    found = swept(place, "prune")
    assert found["absent"]["absent"] == "No engine answers."
    who = "sandbox 'broken' of crate-sandbox 1.2"
    assert found["broken"]["absent"] == f"{who}: sweep failed: ValueError: no luck."
    assert found["local"]["absent"] is None and not found["local"]["failed"]
    shown = place.mlx("sandboxes", "list").stdout
    assert "absent was not asked: No engine answers.\n" in shown


def test_what_cannot_be_removed_is_a_failure(place: Place, crates: Path) -> None:
    (crates / "stuck").touch()
    found = swept(place, "prune", status=1)
    assert found["crates"]["failed"] == "The crate is stuck."
    assert "could not be pruned" in place.mlx("sandboxes", "prune").stdout
