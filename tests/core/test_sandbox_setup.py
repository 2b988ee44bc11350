"""What a sandbox is opened with."""

from pathlib import Path

import pytest

from mlxlab.core.sandbox import SandboxSetup


def test_its_folders_are_absolute_wherever_they_are_named_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`mlx run --out here` names them from the working folder; programs work in another one."""
    monkeypatch.chdir(tmp_path)
    setup = SandboxSetup(scratch=Path("here/scratch/0"), inputs=Path("data"))
    assert setup.scratch == tmp_path / "here" / "scratch" / "0"
    assert setup.inputs == tmp_path / "data"
    assert SandboxSetup(scratch=tmp_path).inputs is None
